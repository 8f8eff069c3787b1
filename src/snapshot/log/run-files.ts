import { dirname, relative } from 'node:path';
import type { SkippedRecords } from '../source.ts';
import type { LogFiles } from './find-logs.ts';
import {
  type LogEntry,
  type LogFailure,
  type LogFile,
  type LogFileOptions,
  type LogRead,
  openLogFile,
} from './log-file.ts';

/** All files of one run, read as one log. */
export interface RunFiles extends Pick<LogFile, 'read' | 'times' | 'close'> {
  readonly folder: string;
  /** Follows files that are new in the folder, from their start. */
  add(paths: readonly string[]): Promise<void>;
}

/** Opens the files of a run. A failure is given if none of them can be read. */
export async function openRunFiles(
  { folder, paths }: LogFiles,
  options: Omit<LogFileOptions, 'path' | 'folder'>,
): Promise<RunFiles | LogFailure> {
  const files = new Map<string, LogFile>();

  async function open(path: string, from: LogFileOptions['from']): Promise<LogFailure | undefined> {
    const opened = await openLogFile({ ...options, path, folder: relative(folder, dirname(path)), from });
    if (opened.status !== 'ok') return opened;
    files.set(path, opened);
    return undefined;
  }

  async function read(limit: number): Promise<LogRead | LogFailure> {
    const entries: LogEntry[] = [];
    const skipped: SkippedRecords[] = [];
    let more = false;
    for (const file of files.values()) {
      const result = await file.read(Math.max(0, limit - entries.length));
      if (result.status !== 'ok') continue;
      entries.push(...result.entries);
      skipped.push(...result.skipped);
      more ||= result.more;
    }
    // Files of one run are written at the same time, such as those of training and validation.
    return { status: 'ok', entries: entries.sort((a, b) => a.timeMs - b.timeMs), more, skipped };
  }

  let failure: LogFailure | undefined;
  for (const path of paths) failure = (await open(path, options.from)) ?? failure;
  if (files.size === 0 && failure !== undefined) return failure;
  return {
    folder,
    read,
    async add(found) {
      for (const path of found) if (!files.has(path)) await open(path, undefined);
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
