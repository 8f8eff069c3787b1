import { stat } from 'node:fs/promises';
import { isPattern } from '../../common/glob.ts';
import { findLogs } from './find-logs.ts';
import type { LogFailure, LogRead } from './log-file.ts';
import type { LogFiles } from './log-files.ts';
import { type LogReader, openedLog } from './log-reader.ts';
import { openLogAndRotated } from './rotated-log.ts';
import { openRunFiles, type RunFiles } from './run-files.ts';
import { loadPosition, type SavedPosition } from './saved-position.ts';
import { areOfOneRun } from './second-log.ts';
import { readLastOfThisRun } from './skip-records.ts';

/** How often the folder is searched for a newer run and for new files of the run. */
const searchIntervalMs = 10_000;

/** Chooses the log to follow, if that is due, and reads at most `limit` more records. */
export async function chooseAndRead(reader: LogReader, limit: number): Promise<LogRead | LogFailure> {
  const { clock } = reader.options;
  if ((await isSeveral(reader)) && clock().monotonicMs >= reader.nextSearchMs)
    return searchAndRead(reader, limit);
  return openedLog(reader)?.read(limit) ?? openAndRead(reader, limit);
}

/** Whether the path is a folder or a pattern. A path where nothing is yet may become either. */
async function isSeveral(reader: LogReader): Promise<boolean> {
  const { path } = reader.options;
  if (reader.file === undefined && !reader.isSeveral)
    reader.isSeveral = isPattern(path) || (await isFolder(path));
  return reader.isSeveral ?? false;
}

const isFolder = (path: string) =>
  stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );

/** Opens the log at a path that is a file. */
async function openAndRead(reader: LogReader, limit: number): Promise<LogRead | LogFailure> {
  const { path, clock, format } = reader.options;
  const saved = await savedPosition(reader);
  const skips = skipsExisting(reader, saved);
  const from = skips ? 'near end' : saved?.files.get(path);
  const opened = await openLogAndRotated({ path, clock, format, from });
  if (opened.status !== 'ok') {
    reader.wasMissing ||= opened.status === 'missing' || opened.status === 'empty';
    return opened;
  }
  reader.file = opened;
  reader.run = saved?.run;
  return skips ? readLastOfThisRun(reader, opened) : opened.read(limit);
}

/** Searches for new files of the run and for a newer run, and reads. */
async function searchAndRead(reader: LogReader, limit: number): Promise<LogRead | LogFailure> {
  const { path, clock } = reader.options;
  let hasMoreLogs = false;
  const found = await findLogs(path, () => {
    hasMoreLogs = true;
  });
  reader.hasMoreLogs = hasMoreLogs;
  if (found === undefined) {
    reader.wasMissing = true;
    return { status: 'missing', reason: `no log is found at ${path}` };
  }
  reader.nextSearchMs = clock().monotonicMs + searchIntervalMs;
  return reader.runFiles === undefined
    ? openFirstRun(reader, found, limit)
    : readOrChange(reader, reader.runFiles, found, limit);
}

/** Reads the run that is followed, with its new files. If another run is found, changes to it after the last record. */
async function readOrChange(
  reader: LogReader,
  current: RunFiles,
  found: LogFiles,
  limit: number,
): Promise<LogRead | LogFailure> {
  const followed = { folder: current.folder, paths: [...current.positions.keys()] };
  const isSecondLog = await areOfOneRun(followed, found);
  const isOtherFolder = followed.folder !== found.folder;
  if (!isSecondLog && !isOtherFolder) await current.add(found.paths);
  const rest = await current.read(limit);
  const isOtherRun = !isSecondLog && isOtherFolder && !reader.leftFolders.has(found.folder);
  if (!isOtherRun || rest.status !== 'ok' || rest.entries.length > 0 || rest.more) return rest;
  reader.leftFolders.add(current.folder);
  return openRun(reader, found, limit, 'all');
}

/** Continues at the saved position of the previous bridge, even if there is a newer run now. */
async function openFirstRun(
  reader: LogReader,
  found: LogFiles,
  limit: number,
): Promise<LogRead | LogFailure> {
  const { clock, format } = reader.options;
  const saved = await savedPosition(reader);
  if (saved !== undefined) {
    const files = { folder: saved.folder, paths: [...saved.files.keys()] };
    const opened = await openRunFiles(files, { clock, format, from: saved.files });
    if (!('status' in opened)) {
      reader.runFiles = opened;
      reader.run = saved.run;
      reader.nextSearchMs = Number.NEGATIVE_INFINITY;
      return opened.read(limit);
    }
  }
  return openRun(reader, found, limit, skipsExisting(reader, saved) ? 'end' : 'all');
}

async function openRun(
  reader: LogReader,
  found: LogFiles,
  limit: number,
  what: 'all' | 'end',
): Promise<LogRead | LogFailure> {
  const { clock, format } = reader.options;
  const from = what === 'end' ? 'near end' : undefined;
  const opened = await openRunFiles(found, { clock, format, from });
  if ('status' in opened) return opened;
  await reader.runFiles?.close();
  reader.runFiles = opened;
  reader.run = undefined;
  return what === 'end' ? readLastOfThisRun(reader, opened) : opened.read(limit);
}

async function savedPosition({ options }: LogReader): Promise<SavedPosition | undefined> {
  const { path, positionFile } = options;
  return positionFile === undefined ? undefined : loadPosition(positionFile, path);
}

/** Whether only the last of the records is read that the log has when it is opened. */
const skipsExisting = ({ options, wasMissing }: LogReader, saved: SavedPosition | undefined): boolean =>
  options.start === 'end' && !wasMissing && saved === undefined;
