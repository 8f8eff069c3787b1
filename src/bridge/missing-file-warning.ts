import { opendir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from '../common/logger.ts';
import type { Poll } from '../snapshot/source.ts';

/** Many trainers write their first file only after they have loaded their data, so an earlier warning would often be wrong. */
const warnAfterMs = 60_000;

const maxEntries = 20;

export interface MissingFileWarningOptions {
  readonly log: Logger;
  /** Of the metrics file. */
  readonly path: string;
}

/**
 * Warns once if no file has appeared for a minute, and lists what is in the folder instead: usually the file has another
 * name, or the two containers do not mount the same volume.
 */
export function createMissingFileWarning({ log, path }: MissingFileWarningOptions): (poll: Poll) => void {
  let isOver = false;
  let missingSinceMs: number | undefined;
  return ({ outcome, moment: { monotonicMs } }) => {
    if (isOver) return;
    isOver = outcome.status === 'ok' || outcome.status === 'unchanged';
    if (outcome.status !== 'missing') return;
    missingSinceMs ??= monotonicMs;
    if (monotonicMs - missingSinceMs < warnAfterMs) return;
    isOver = true;
    // Not awaited, because the volume may hang.
    void listNearestFolder(dirname(path)).then((listing) =>
      log.warn(
        { path, reason: outcome.reason, ...listing },
        'Metrics file has been missing for a minute: check that METRICS_FILE_PATH is where the training writes, and that both containers mount the same volume',
      ),
    );
  };
}

interface Listing {
  readonly folder: string;
  /** Names of files; those of folders end in a slash. */
  readonly entries: readonly string[];
}

/** Lists a folder or, if it does not exist, the nearest one above it. */
async function listNearestFolder(folder: string): Promise<Listing> {
  try {
    return { folder, entries: await firstEntries(folder) };
  } catch (error) {
    const parent = dirname(folder);
    const { code } = error as NodeJS.ErrnoException;
    if (parent === folder || (code !== 'ENOENT' && code !== 'ENOTDIR'))
      return { folder, entries: [`(cannot be listed: ${code})`] };
    return listNearestFolder(parent);
  }
}

/** Not readdir(), because the folder may be a large one that has nothing to do with the training. */
async function firstEntries(folder: string): Promise<readonly string[]> {
  const entries: string[] = [];
  for await (const entry of await opendir(folder)) {
    if (entries.length === maxEntries) return [...entries, '…'];
    entries.push(entry.isDirectory() ? `${entry.name}/` : entry.name);
  }
  return entries;
}
