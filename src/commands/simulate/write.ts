import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export type WriteResult = { readonly status: 'written' } | Unwritable;

export interface Unwritable {
  readonly status: 'unwritable';
  /** The operating system's name of the error, such as EACCES or ENOSPC. */
  readonly code: string;
  /** Which file, and why. */
  readonly message: string;
}

// The reader is another container and often another user, who must have access even with a umask of 077.
const readableByAll = 0o644;

/**
 * Replaces the file by rename, so that a reader sees the old content or the new and never a mixture. Creates
 * the directory if needed, and removes its temporary file if it fails.
 */
export function replaceFile(path: string, content: string): Promise<WriteResult> {
  return attempt(path, async () => {
    // In the same directory, because a rename across file systems is not atomic. With a random part, because the process
    // of every container may have the ID 1.
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

/** Writes the file in place in two halves, as some jobs do; `between` is awaited while only the first is written. */
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
      await makeDirectory(dirname(path));
      await write();
    });
    return { status: 'written' };
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { status: 'unwritable', code: error.code, message: explain(path, error) };
  }
}

/** Used instead of mkdir's `recursive`, which never ends if the system always returns ENOENT, as below /proc. */
async function makeDirectory(directory: string): Promise<void> {
  const parent = dirname(directory);
  await mkdir(directory).catch(async (error) => {
    if (!isSystemError(error)) throw error;
    if (error.code === 'EEXIST') return;
    if (error.code !== 'ENOENT' || parent === directory) throw error;
    await makeDirectory(parent);
    await mkdir(directory);
  });
}

interface SystemError extends Error {
  readonly code: string;
}

const isSystemError = (error: unknown): error is SystemError =>
  error instanceof Error && 'syscall' in error && 'code' in error && typeof error.code === 'string';

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOSPC: 'no space left on the volume',
  EDQUOT: 'the disk quota is exceeded',
  EROFS: 'the volume is read-only',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a component of its path is not a directory',
  EEXIST: 'a component of its path is not a directory',
  ENOENT: 'its directory does not exist and cannot be created',
};

/** Why the file could not be written, in a sentence. An error that is not in the table keeps the system's message. */
export function explain(path: string, error: { readonly code: string; readonly message: string }): string {
  return `cannot write ${path}: ${reasons[error.code] ?? error.message} (${error.code})`;
}
