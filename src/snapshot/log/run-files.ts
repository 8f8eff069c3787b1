import { dirname, relative } from 'node:path';
import type { SkippedRecords } from '../source.ts';
import type { FilePosition } from './file-position.ts';
import { isEventFile } from './find-logs.ts';
import { firstBytesOf } from './fingerprint.ts';
import type { LogEntry, LogFailure, LogFile, LogFileOptions, LogRead } from './log-file.ts';
import type { LogFiles } from './log-files.ts';
import { openLogAndRotated } from './rotated-log.ts';
import { createSessions } from './sessions.ts';

/** All files of one run, read as one log. */
export interface RunFiles extends Pick<LogFile, 'read' | 'times' | 'close'> {
  readonly folder: string;
  /** Before the last record that was read of each file, by its path. */
  readonly positions: ReadonlyMap<string, FilePosition>;
  /** Also follows new files of the folder, from their start. */
  add(paths: readonly string[]): Promise<void>;
}

export interface RunFilesOptions extends Pick<LogFileOptions, 'clock' | 'format'> {
  /** Where to begin in each file; at its start if absent. */
  readonly from?: 'near end' | ReadonlyMap<string, FilePosition> | undefined;
}

/** Opens the files of a run. Returns a failure if none of them can be read. */
export async function openRunFiles(
  { folder, paths }: LogFiles,
  { from, ...options }: RunFilesOptions,
): Promise<RunFiles | LogFailure> {
  const files = new Map<string, LogFile>();
  const sessions = createSessions();

  async function follow(path: string, start: LogFileOptions['from']): Promise<LogFailure | undefined> {
    const place = { path, folder: relative(folder, dirname(path)), from: start };
    const opened = await openLogAndRotated({ ...options, ...place });
    if (opened.status !== 'ok') return opened;
    files.set(path, opened);
    return undefined;
  }

  async function read(limit: number): Promise<LogRead | LogFailure> {
    const entries: LogEntry[] = [];
    const skipped: SkippedRecords[] = [];
    let more = false;
    for (const [path, file] of files) {
      const result = await file.read(Math.max(0, limit - entries.length));
      if (result.status !== 'ok') continue;
      entries.push(...result.entries.flatMap((entry) => sessions.apply(path, entry) ?? []));
      skipped.push(...result.skipped);
      more ||= result.more;
    }
    // Files of one run are written at the same time, such as those of training and validation.
    return { status: 'ok', entries: entries.sort((a, b) => a.timeMs - b.timeMs), more, skipped };
  }

  let failure: LogFailure | undefined;
  for (const path of paths) await sessions.add(path);
  const startOf = (path: string) => (from === 'near end' ? from : from?.get(path));
  for (const path of paths) failure = (await follow(path, startOf(path))) ?? failure;
  if (files.size === 0 && failure !== undefined) return failure;
  return {
    folder,
    read,
    async add(found) {
      for (const path of found)
        if (!files.has(path) && !(await isCopy(path, files.keys()))) {
          await sessions.add(path);
          await follow(path, undefined);
        }
    },
    get positions() {
      return new Map([...files].map(([path, file]) => [path, file.lastPosition]));
    },
    get times() {
      const all = [...files.values()].flatMap(({ times }) => times ?? []);
      if (all.length === 0) return undefined;
      return {
        createdMs: Math.min(...all.map(({ createdMs }) => createdMs)),
        modifiedMs: Math.max(...all.map(({ modifiedMs }) => modifiedMs)),
      };
    },
    async close() {
      for (const file of files.values()) await file.close();
    },
  };
}

/**
 * Whether a file is the copy of one that is followed, such as the second log of mmengine, as far as it is written. No two
 * event files are equal: the first event has the time.
 */
async function isCopy(path: string, followed: Iterable<string>): Promise<boolean> {
  if (isEventFile(path)) return false;
  const head = await firstBytesOf(path);
  for (const other of followed) {
    const otherHead = await firstBytesOf(other);
    const length = Math.min(head.length, otherHead.length);
    if (head.subarray(0, length).equals(otherHead.subarray(0, length))) return true;
  }
  return false;
}
