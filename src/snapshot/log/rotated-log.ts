import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FilePosition } from './file-position.ts';
import { matchesFingerprint } from './fingerprint.ts';
import { type LogFailure, type LogFile, type LogFileOptions, openLogFile } from './log-file.ts';

/** So that a folder of many files does not take long. */
const maxSiblings = 100;

/**
 * Opens a log like `openLogFile`. If it was rotated after the position in it was kept, what is left of the rotated file, and
 * of those after it, is read first. Never throws.
 */
export async function openLogAndRotated(options: LogFileOptions): Promise<LogFile | LogFailure> {
  const { path, from } = options;
  const [holder, ...between] =
    from === undefined || from === 'near end' ? [] : await rotatedSince(path, from).catch(() => []);
  if (holder === undefined) return openLogFile(options);
  const current = await openLogFile({ ...options, from: undefined });
  if (current.status !== 'ok') return current;
  const older = await Promise.all(
    [holder, ...between].map((rotated) =>
      openLogFile({
        ...options,
        path: rotated,
        originalPath: path,
        from: rotated === holder ? from : undefined,
      }),
    ),
  );
  return oneAfterAnother([...older.filter((file) => file.status === 'ok'), current]);
}

/** The file that now holds what was read up to a position, and those that were rotated after it; empty if the log does. */
async function rotatedSince(path: string, position: FilePosition): Promise<readonly string[]> {
  if (position.offset === 0 || (await holds(path, position))) return [];
  const names = await readdir(dirname(path));
  const rotated = names.filter((name) => name.startsWith(basename(path)) && name !== basename(path));
  const files = await Promise.all(
    rotated.slice(0, maxSiblings).map(async (name) => {
      const file = join(dirname(path), name);
      return { file, modifiedMs: (await stat(file)).mtimeMs, isHolder: await holds(file, position) };
    }),
  );
  const holder = files.find(({ isHolder }) => isHolder);
  if (holder === undefined) return [];
  const later = files.filter(({ modifiedMs, isHolder }) => !isHolder && modifiedMs > holder.modifiedMs);
  return [holder, ...later.sort((a, b) => a.modifiedMs - b.modifiedMs)].map(({ file }) => file);
}

/** Whether a file has at the same offsets what was read up to a position. */
async function holds(path: string, { fingerprint }: FilePosition): Promise<boolean> {
  const handle = await open(path).catch(() => undefined);
  if (handle === undefined) return false;
  try {
    return await matchesFingerprint(handle, fingerprint);
  } finally {
    await handle.close();
  }
}

/** The last file goes on growing; each before it is read to its end. */
function oneAfterAnother(files: readonly LogFile[]): LogFile {
  let index = 0;
  const current = () => files[index] as LogFile;
  return {
    status: 'ok',
    async read(limit) {
      const result = await current().read(limit);
      if (index === files.length - 1) return result;
      const isRead = result.status !== 'ok' || (result.entries.length === 0 && !result.more);
      if (!isRead) return { ...result, more: true };
      await current().close();
      index += 1;
      return this.read(limit);
    },
    get times() {
      return current().times;
    },
    get lastPosition() {
      return current().lastPosition;
    },
    async close() {
      for (const file of files) await file.close();
    },
  };
}
