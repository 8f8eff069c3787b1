import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** A request on a disk: a file of its own, so that what is delivered can be removed and nothing is rewritten. */
export interface QueuedFile {
  /** Sorts by age, of one bridge whatever its clock does. */
  readonly name: string;
  /** Without the checksum. */
  readonly bytes: number;
}

/**
 * A folder for each bridge in one that may be shared, told apart by service.instance.id: no two bridges that run have
 * the same, and one that restarts has its predecessor's.
 *
 * A file is the CRC-32 of the content, four bytes with the highest first, and the content.
 */
export interface QueueFolder {
  /**
   * Makes the folder and gives what is in it, oldest first. What bridges have left that are gone is taken over.
   * Rejects where neither is possible.
   */
  open(): Promise<readonly QueuedFile[]>;
  newName(): string;
  write(name: string, content: Uint8Array): Promise<void>;
  /** Undefined where it is not there or not whole, as where its writer was killed. */
  read(name: string): Promise<Uint8Array | undefined>;
  remove(name: string): Promise<void>;
  /** Shows the others that this bridge is there. */
  touch(): Promise<void>;
}

const checksumBytes = 4;
/** A bridge that runs shows it more often, unless its export interval is longer; then it is all sent twice. */
const orphanedAfterMs = 600_000;

export function createQueueFolder(root: string, instanceId: string): QueueFolder {
  const folder = join(root, folderName(instanceId));
  const path = (name: string) => join(folder, name);
  const prefix = `${padded(Date.now(), 14)}-${randomBytes(4).toString('hex')}`;
  let names = 0;

  return {
    async open() {
      await make(root, folder);
      // The clock is the file server's, as for the other folders.
      const touched = await touch(folder).then(
        () => true,
        () => false,
      );
      if (touched) await takeOver(root, folder);
      const names = (await readdir(folder)).filter((name) => name.endsWith('.otlp')).sort();
      return Promise.all(
        names.map(async (name) => {
          const { size } = await stat(path(name));
          return { name, bytes: Math.max(0, size - checksumBytes) };
        }),
      );
    },
    newName: () => `${prefix}-${padded(++names, 9)}.otlp`,
    async write(name, content) {
      const checksum = Buffer.alloc(checksumBytes);
      checksum.writeUInt32BE(crc32(content));
      try {
        await make(root, folder);
        await writeFile(path(name), Buffer.concat([checksum, content]), { flag: 'wx' });
      } catch (error) {
        await rm(path(name), { force: true }).catch(() => undefined);
        throw error;
      }
    },
    async read(name) {
      const file = await readFile(path(name)).catch(() => Buffer.alloc(0));
      const content = file.subarray(checksumBytes);
      const isWhole = content.length > 0 && file.readUInt32BE() === crc32(content);
      return isWhole ? content : undefined;
    },
    remove: (name) => rm(path(name), { force: true }),
    touch: () => touch(folder),
  };
}

const padded = (value: number, digits: number) => String(value).padStart(digits, '0');

/** Nothing an id holds leads out of the root, and none is too long for a file system. */
const folderName = (instanceId: string) => `bridge-${encodeURIComponent(instanceId).slice(0, 200)}`;

/** In two steps, because of a volume that is read-only the recursive one says only that the folder is not there. */
async function make(root: string, folder: string): Promise<void> {
  await mkdir(root, { recursive: true });
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

const touch = async (folder: string) => {
  const probe = join(folder, '.alive');
  await writeFile(probe, '');
  await rm(probe);
};

async function takeOver(root: string, folder: string): Promise<void> {
  const { mtimeMs: now } = await stat(folder);
  const siblings = (await readdir(root)).filter((name) => name.startsWith('bridge-'));
  for (const sibling of siblings.map((name) => join(root, name))) {
    try {
      if (sibling === folder || now - (await stat(sibling)).mtimeMs < orphanedAfterMs) continue;
      for (const name of await readdir(sibling)) await rename(join(sibling, name), join(folder, name));
      await rmdir(sibling);
    } catch {
      // Another bridge is at it, or it is not ours to read.
    }
  }
}
