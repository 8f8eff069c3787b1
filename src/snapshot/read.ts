import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PollFailure } from '../catalogue/outcomes.ts';

/** Identifies a write of the file without reading it. Two writes within one step of the file system's clock may be equal. */
export interface FileVersion {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

export type ReadOutcome =
  | { readonly status: 'ok'; readonly bytes: Buffer; readonly version: FileVersion }
  | { readonly status: 'unchanged' }
  /** The file was written while it was read, so the bytes may be of two versions. */
  | { readonly status: 'torn' }
  | { readonly status: 'empty'; readonly version: FileVersion }
  | { readonly status: 'too_large'; readonly reason: string; readonly version: FileVersion }
  | MissingFile
  | {
      readonly status: Exclude<
        PollFailure,
        'missing' | 'empty' | 'malformed' | 'no_metrics' | 'too_large' | 'hung'
      >;
      readonly reason: string;
    };

export interface MissingFile {
  readonly status: 'missing';
  readonly reason: string;
  /** The only user, root aside, that can create the file in its folder; absent if others can, too. */
  readonly onlyWriterUid?: number;
}

/** Far above any real file of this kind: a thousand extra metrics take about 50 kB. */
export const maxFileBytes = 1_048_576;

/**
 * Reads the file once, unless it is still the given version. Reads at most `maxFileBytes`. Does not open a FIFO, because
 * that would wait for a writer. Never throws.
 */
export async function readMetricsFile(path: string, known?: FileVersion): Promise<ReadOutcome> {
  let handle: FileHandle | undefined;
  try {
    const before = await stat(path, { bigint: true });
    if (!before.isFile())
      return { status: 'not_a_file', reason: `${path} is ${kindOf(before)}, not a regular file` };
    if (known !== undefined && sameVersion(versionOf(before), known)) return { status: 'unchanged' };
    // Without blocking, in case a FIFO has replaced the file since stat().
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readOpened(handle, path);
  } catch (error) {
    return await describeError(path, error as NodeJS.ErrnoException);
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

/** The version of the file that is there now; undefined if there is none, or it may not be read. Never throws. */
export async function statMetricsFile(path: string): Promise<FileVersion | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? versionOf(stats) : undefined;
  } catch {
    return undefined;
  }
}

async function readOpened(handle: FileHandle, path: string): Promise<ReadOutcome> {
  const opened = await handle.stat({ bigint: true });
  if (!opened.isFile())
    return { status: 'not_a_file', reason: `${path} is ${kindOf(opened)}, not a regular file` };
  const version = versionOf(opened);
  if (opened.size > maxFileBytes) {
    return {
      status: 'too_large',
      reason: `${path} has ${opened.size} bytes, at most ${maxFileBytes} are read`,
      version,
    };
  }
  const bytes = await readUpTo(handle, Number(opened.size));
  const after = await handle.stat({ bigint: true });
  // ctime is not compared: a rename over the file changes it, and does not change the bytes that are read.
  const isComplete =
    after.mtimeNs === opened.mtimeNs && after.size === opened.size && bytes.length === Number(opened.size);
  if (!isComplete) return { status: 'torn' };
  return bytes.length === 0 ? { status: 'empty', version } : { status: 'ok', bytes, version };
}

async function readUpTo(handle: FileHandle, size: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(buffer, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function versionOf(stats: BigIntStats): FileVersion {
  return {
    device: stats.dev,
    inode: stats.ino,
    size: stats.size,
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
  };
}

export function sameVersion(a: FileVersion, b: FileVersion): boolean {
  return (
    a.modifiedNs === b.modifiedNs &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.changedNs === b.changedNs &&
    a.device === b.device
  );
}

function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}

async function describeError(path: string, error: NodeJS.ErrnoException): Promise<ReadOutcome> {
  switch (error.code) {
    case 'ENOENT':
      return describeMissing(path);
    case 'ENOTDIR':
      return { status: 'missing', reason: `a folder on the way to ${path} is a file` };
    case 'EACCES':
    case 'EPERM':
      return { status: 'unreadable', reason: await describePermission(path) };
    default:
      return { status: 'failed', reason: `${path} cannot be read: ${error.message}` };
  }
}

/** A writer of another user than the folder's can never create the file, and looks from here like one that is slow. */
async function describeMissing(path: string): Promise<MissingFile> {
  const isLink = await lstat(path).then(
    (link) => link.isSymbolicLink(),
    () => false,
  );
  if (isLink) return { status: 'missing', reason: `${path} is a symbolic link to nothing` };
  const reason = `${path} does not exist`;
  const folder = dirname(path);
  const stats = await stat(folder).catch(() => undefined);
  if (stats === undefined || (stats.mode & writableByOthers) !== 0) return { status: 'missing', reason };
  const who = `only uid ${stats.uid} can write to ${folder} (mode ${modeText(stats.mode)})`;
  return { status: 'missing', reason: `${reason}, and ${who}`, onlyWriterUid: stats.uid };
}

/** By the group or by all. */
const writableByOthers = 0o022;

export const modeText = (mode: number) => (mode & 0o7777).toString(8).padStart(4, '0');

/** Names the users of both containers, because the person who fixes it usually sees only one of them. */
async function describePermission(path: string): Promise<string> {
  const reader = `this process is uid ${process.getuid?.()}, gid ${process.getgid?.()}`;
  const describe = (stats: { uid: number; gid: number; mode: number }) =>
    `uid ${stats.uid}, gid ${stats.gid}, mode ${modeText(stats.mode)}`;
  try {
    return `${path} belongs to ${describe(await stat(path))}, and ${reader}: the writer must set mode 0644 before the rename (Python's mkstemp creates files with 0600; fsGroup alone does not help)`;
  } catch {
    const folder = dirname(path);
    const owner = await stat(folder).then(describe, () => 'another user');
    return `${folder} belongs to ${owner}, and ${reader}: the folder must be searchable (mode 0755)`;
  }
}
