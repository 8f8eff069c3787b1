import { maxWriteBeforeStartMs } from '../file-age.ts';
import { maxSnapshotsOfPoll } from '../source.ts';
import type { LogEntry, LogFailure, LogFile, LogRead } from './log-file.ts';
import type { LogReader } from './log-reader.ts';
import { followRun, recordKind } from './log-run.ts';

/** The records that remain after others were skipped. */
export interface SkippedRead extends LogRead {
  readonly passedOver: number;
}

export const nothingRead: SkippedRead = {
  status: 'ok',
  entries: [],
  more: false,
  skipped: [],
  passedOver: 0,
};

const maxKinds = 32;

/** The last records of a log that is opened; none if it is of an earlier run. */
export async function readLastOfThisRun(
  reader: LogReader,
  log: Pick<LogFile, 'read' | 'times'>,
): Promise<LogRead | LogFailure> {
  const last = await skipToEnd(reader, log);
  const startedMs = reader.options.startedUnixMs - maxWriteBeforeStartMs;
  const isOfEarlierRun = (log.times?.modifiedMs ?? 0) < startedMs;
  return isOfEarlierRun && last.status === 'ok' ? nothingRead : last;
}

/** Skips all existing records except the last one of each kind. */
export async function skipToEnd(
  reader: LogReader,
  log: Pick<LogFile, 'read'>,
): Promise<SkippedRead | LogFailure> {
  let count = 0;
  const last = new Map<string, LogEntry>();
  let result: LogRead | LogFailure;
  do {
    result = await log.read(maxSnapshotsOfPoll);
    if (result.status !== 'ok') return result;
    count += result.entries.length;
    for (const entry of result.entries) keepLast(last, reader, entry);
  } while (result.more);
  const entries = [...last.values()];
  return { ...result, entries, passedOver: count - entries.length };
}

/** Adds a record to the last ones of its run, in place of an earlier one of its kind. */
function keepLast(last: Map<string, LogEntry>, reader: LogReader, entry: LogEntry): void {
  const before = reader.run;
  reader.run = followRun(before, entry, entry.timeMs);
  if (before?.startTimeMs !== reader.run.startTimeMs) last.clear();
  const kind = recordKind(entry.snapshot);
  last.delete(kind);
  last.set(kind, entry);
  if (last.size > maxKinds) last.delete(last.keys().next().value as string);
}
