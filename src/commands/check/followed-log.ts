import { stat } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { formatNumber } from '../../cli/terminal/format.ts';
import { findLogs, maxLogs } from '../../snapshot/log/find-logs.ts';

/** The file of a folder or pattern that the bridge follows. */
export interface FollowedLog {
  readonly path: string;
  /** Folder of the run. */
  readonly runFolder: string;
  /** Folder of the file, relative to that of the run. */
  readonly folder: string;
  readonly notes: readonly string[];
}

/** What the bridge follows at a path that is not a file; undefined if there is nothing. Never throws. */
export async function followedLog(path: string): Promise<FollowedLog | undefined> {
  try {
    if ((await stat(path).catch(() => undefined))?.isFile()) return undefined;
    const notes: string[] = [];
    const found = await findLogs(path, () => notes.push(moreLogs(path)));
    const last = found?.paths.at(-1);
    if (found === undefined || last === undefined) return undefined;
    const { folder: runFolder, paths } = found;
    const others = paths.length - 1;
    notes.unshift(
      others === 0
        ? `This is the newest log at ${path}, which the bridge follows until there is a newer one.`
        : `The bridge reads the ${paths.length} event files in ${runFolder} as one log; this is the last of them.`,
    );
    return { path: last, runFolder, folder: relative(runFolder, dirname(last)), notes };
  } catch {
    return undefined;
  }
}

const moreLogs = (path: string) =>
  `There are more than ${formatNumber(maxLogs)} logs at ${path}: the bridge does not look at the others, and the newest may be one of them. Choose a folder or a pattern with fewer logs.`;
