import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** A request on a disk: a file of its own, so that what is delivered can be removed and nothing is rewritten. */
export interface QueuedFile {
  /** Sorts by age, of one bridge whatever its clock does. */
  readonly name: string;
  /** Without the checksum. */
  readonly bytes: number;
  /** It was taken over from a bridge that is gone. */
  readonly isOrphan?: boolean;
}

/**
 * A folder for each bridge in one that may be shared, told apart by service.instance.id: no two bridges that run have
 * the same, and one that restarts has its predecessor's.
 *
 * A file is the CRC-32 of the content, four bytes with the highest first, and the content.
 *
 * Others may write to the root, so symbolic links are not followed below it, and files with other names are not touched.
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
  const folder = queueFolderPath(root, instanceId);
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
      const found: QueuedFile[] = [];
      // One by one, so that a volume that hangs occupies one thread.
      for (const name of await queueFilesIn(folder)) {
        const { size } = await lstat(path(name));
        const bytes = Math.max(0, size - checksumBytes);
        found.push({ name, bytes, isOrphan: name.endsWith(orphanSuffix) });
      }
      return found;
    },
    newName: () => `${prefix}-${padded(++names, 9)}${suffix}`,
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
      // Does not wait for a writer of a named pipe.
      const flag = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
      const file = await readFile(path(name), { flag }).catch(() => Buffer.alloc(0));
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
export const queueFolderPath = (root: string, instanceId: string): string =>
  join(root, `bridge-${encodeURIComponent(instanceId).slice(0, 200)}`);

/** How far a log was exported, and the span of the last run. Without their bridge they are of no use. */
export const positionFileName = 'position.json';
export const runSpanFileName = 'run-span.json';

const suffix = '.otlp';
/** In the name, so that it is known after a restart, too. */
const orphanSuffix = '.orphan.otlp';
const queueFileName = /^\d{14}-[0-9a-f]{8}-\d{9}(\.orphan)?\.otlp$/;

async function queueFilesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && queueFileName.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** In two steps, because of a volume that is read-only the recursive one says only that the folder is not there. */
async function make(root: string, folder: string): Promise<void> {
  await mkdir(root, { recursive: true });
  try {
    await mkdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if ((await lstat(folder)).isDirectory()) return;
    throw Object.assign(new Error(`${folder} is not a directory`), { code: 'ENOTDIR' });
  }
}

const probeName = '.alive';

const touch = async (folder: string) => {
  const probe = join(folder, probeName);
  await rm(probe, { force: true });
  await writeFile(probe, '', { flag: 'wx' });
  await rm(probe);
};

async function takeOver(root: string, folder: string): Promise<void> {
  const { mtimeMs: now } = await stat(folder);
  const siblings = (await readdir(root, { withFileTypes: true })).filter(
    (entry) => entry.isDirectory() && entry.name.startsWith('bridge-'),
  );
  for (const sibling of siblings.map(({ name }) => join(root, name))) {
    try {
      if (sibling === folder || now - (await lstat(sibling)).mtimeMs < orphanedAfterMs) continue;
      const names = await queueFilesIn(sibling);
      for (const name of names) await rename(join(sibling, name), join(folder, orphanName(name)));
      for (const name of [probeName, positionFileName, runSpanFileName])
        await rm(join(sibling, name), { force: true });
      await rmdir(sibling);
    } catch {
      // Another bridge is at it, it is not ours to read, or it holds something else.
    }
  }
}

const orphanName = (name: string) =>
  name.endsWith(orphanSuffix) ? name : `${name.slice(0, -suffix.length)}${orphanSuffix}`;
