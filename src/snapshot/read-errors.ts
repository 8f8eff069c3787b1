import type { BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Why a file cannot be read, in words that name the user or the permission to change. */
export type ReadFailure = MissingFile | { readonly status: 'unreadable' | 'failed'; readonly reason: string };

export interface MissingFile {
  readonly status: 'missing';
  readonly reason: string;
  /** The only user, root aside, that can create the file in its folder; absent if others can, too. */
  readonly onlyWriterUid?: number;
}

/** The outcome for an error of the file system. Never throws. */
export async function describeReadError(path: string, error: NodeJS.ErrnoException): Promise<ReadFailure> {
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

/** If the writer runs as another user than the owner of the folder, it can never create the file. Here, that looks like a slow writer. */
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

/** The kind of what is at a path, other than a regular file. */
export function kindOf(stats: BigIntStats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a FIFO';
  return stats.isSocket() ? 'a socket' : 'a device';
}
