import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, mkdir, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';

/** A request on disk. Each has its own file, so that a delivered one can be removed without rewriting others. */
export interface QueuedFile {
  /** Sorts by age. For files of one process, this holds even if the clock is set. */
  readonly name: string;
  /** Without the checksum. */
  readonly bytes: number;
  /** It was taken over from a bridge that no longer runs. */
  readonly isOrphan?: boolean;
}

/**
 * The folder of one bridge below a root that bridges may share. Its name contains the service.instance.id: two running
 * bridges never have the same, and a restarted bridge has that of its predecessor.
 *
 * A file is the CRC-32 of the content, as four bytes in big-endian order, followed by the content.
 *
 * Others may write to the root. Below it, symbolic links are not followed, and files with other names are not touched.
 */
export interface QueueFolder {
  /**
   * Creates the folder and returns its files, oldest first. Takes over the files of bridges that no longer run.
   * Rejects if the folder can neither be created nor read.
   */
  open(): Promise<readonly QueuedFile[]>;
  newName(): string;
  write(name: string, content: Uint8Array): Promise<void>;
  /** Undefined if the file is missing or incomplete, for example because its writer was killed. */
  read(name: string): Promise<Uint8Array | undefined>;
  remove(name: string): Promise<void>;
  /** Shows other bridges that this one is running. */
  touch(): Promise<void>;
}

const checksumBytes = 4;
/** A running bridge touches its folder more often. If its export interval is longer than this, all is sent twice. */
const orphanedAfterMs = 600_000;

export function createQueueFolder(root: string, instanceId: string): QueueFolder {
  const folder = queueFolderPath(root, instanceId);
  const path = (name: string) => join(folder, name);
  const prefix = `${padded(Date.now(), 14)}-${randomBytes(4).toString('hex')}`;
  let names = 0;

  return {
    async open() {
      await make(root, folder);
      // The time of the folder is then by the file server's clock, like that of the other folders.
      const touched = await touch(folder).then(
        () => true,
        () => false,
      );
      if (touched) await takeOver(root, folder);
      const found: QueuedFile[] = [];
      // One by one, so that a volume that hangs occupies only one thread.
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
      // O_NONBLOCK, because opening a FIFO would otherwise wait for a writer.
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

/** The id is encoded and shortened, so that the folder is always below the root and its name is valid. */
export const queueFolderPath = (root: string, instanceId: string): string =>
  join(root, `bridge-${encodeURIComponent(instanceId).slice(0, 200)}`);

/** How far a log was exported, and the span of the last run. Other bridges do not take them over. */
export const positionFileName = 'position.json';
export const runSpanFileName = 'run-span.json';

const suffix = '.otlp';
/** Part of the name, so that it is still known after a restart. */
const orphanSuffix = '.orphan.otlp';
const queueFileName = /^\d{14}-[0-9a-f]{8}-\d{9}(\.orphan)?\.otlp$/;

async function queueFilesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && queueFileName.test(entry.name))
    .map(({ name }) => name)
    .sort();
}

/** In two steps: on a read-only volume, a recursive mkdir reports only that the folder does not exist. */
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
      // Another bridge takes it over at the same time, permission is denied, or the folder holds other files.
    }
  }
}

const orphanName = (name: string) =>
  name.endsWith(orphanSuffix) ? name : `${name.slice(0, -suffix.length)}${orphanSuffix}`;
