import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export type WriteResult = { readonly status: 'written' } | Unwritable;

export interface Unwritable {
  readonly status: 'unwritable';
  /** The operating system's name of the error, such as EACCES or ENOSPC. */
  readonly code: string;
  /** For a person: which file, and why. */
  readonly message: string;
}

// The reader is another container and mostly another user; a umask of 077 must not shut it out.
const readableByAll = 0o644;

/**
 * Replaces the file by rename, so that a reader sees the old content or the new and never a mixture. Makes the folder
 * where it is missing, and leaves nothing beside the file when it fails.
 */
export function replaceFile(path: string, content: string): Promise<WriteResult> {
  return attempt(path, async () => {
    // In the same folder, because a rename across file systems is not atomic; with a random part, because every
    // container's process may have the id 1.
    const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
    try {
      await writeFile(temporary, content);
      await chmod(temporary, readableByAll);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw error;
    }
  });
}

/** Writes the file as careless jobs do, in place and in two halves; `between` is awaited while only one half is there. */
export function writeTorn(path: string, content: string, between: () => Promise<void>): Promise<WriteResult> {
  const bytes = Buffer.from(content);
  const middle = Math.floor(bytes.length / 2);
  return attempt(path, async () => {
    await using file = await open(path, 'w', readableByAll);
    await file.write(bytes.subarray(0, middle));
    await between();
    await file.write(bytes.subarray(middle));
  });
}

async function attempt(path: string, write: () => Promise<void>): Promise<WriteResult> {
  try {
    await write().catch(async (error) => {
      if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
      await makeFolder(dirname(path));
      await write();
    });
    return { status: 'written' };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { status: 'unwritable', code: error.code, message: explain(path, error) };
  }
}

/** Not mkdir's own `recursive`, which tries for ever where the system answers ENOENT for good, as below /proc. */
async function makeFolder(folder: string): Promise<void> {
  const parent = dirname(folder);
  await mkdir(folder).catch(async (error) => {
    if (!isSystemError(error)) throw error;
    if (error.code === 'EEXIST') return;
    if (error.code !== 'ENOENT' || parent === folder) throw error;
    await makeFolder(parent);
    await mkdir(folder);
  });
}

interface SystemError extends Error {
  readonly code: string;
}

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission',
  EPERM: 'no permission',
  ENOSPC: 'no space is left on the volume',
  EDQUOT: 'the quota of the volume is used up',
  EROFS: 'the volume is read-only',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'a part of its path is not a folder',
  ENOENT: 'its folder does not exist and cannot be made',
};

/** Why the file could not be written, in a sentence; errors without a sentence of ours keep the system's. */
export function explain(path: string, error: { readonly code: string; readonly message: string }): string {
  return `cannot write ${path}: ${reasons[error.code] ?? error.message} (${error.code})`;
}
