import { stat } from 'node:fs/promises';
import type { LogEntry } from '../../snapshot/log/log-file.ts';

/** What a log says about when its records were written. Times are Unix milliseconds. */
export interface Survey {
  readonly records: number;
  /** `own`: each record has its time. `elapsed`: the others have the time since training began. */
  readonly times: 'own' | 'elapsed' | 'none';
  /** From the beginning to the last record, if the log only has elapsed times. */
  readonly elapsedMs: number;
  /** Oldest and latest of the records' own times; infinite if no record has one. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** When the file was last written. */
  readonly modifiedMs: number;
}

export interface SurveyOptions {
  readonly signal: AbortSignal;
  /** Called with the number of each record. */
  readonly onRecord: (record: number) => void;
}

/** Reads a log once, because the time of its first record may follow from that of its last. An abort ends it early. */
export async function surveyRun(
  entries: AsyncIterable<LogEntry>,
  paths: readonly string[],
  { signal, onRecord }: SurveyOptions,
): Promise<Survey> {
  const sinceStart = createElapsed();
  let [records, own, elapsed, elapsedMs] = [0, 0, 0, 0];
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const { record } of entries) {
    if (signal.aborted) break;
    onRecord(++records);
    if (record.time !== undefined) {
      own++;
      firstMs = Math.min(firstMs, record.time);
      lastMs = Math.max(lastMs, record.time);
    } else if (record.elapsed !== undefined) {
      elapsed++;
      elapsedMs = sinceStart(record.elapsed);
    }
  }
  const others = own + elapsed === records ? 'elapsed' : 'none';
  const modified = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    ),
  );
  const modifiedMs = Math.floor(Math.max(...modified));
  return { records, times: own === records ? 'own' : others, elapsedMs, firstMs, lastMs, modifiedMs };
}

/** A time in seconds that became milliseconds as a double may be a little less than the millisecond. */
const wholeMs = (timeMs: number) => Math.floor(Math.round(timeMs * 1000) / 1000);

/** Time since the beginning of the log. Elapsed times begin again at 0 when training is resumed. */
function createElapsed(): (elapsedSeconds: number) => number {
  let beforeMs = 0;
  let lastMs = 0;
  return (elapsedSeconds) => {
    const elapsedMs = elapsedSeconds * 1000;
    if (elapsedMs < lastMs) beforeMs += lastMs;
    lastMs = elapsedMs;
    return beforeMs + elapsedMs;
  };
}

/** Gives each record of one log its time. */
export interface Placement {
  /** Of the oldest and the latest record. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Call it once for each record, in order. Whole Unix milliseconds, each later than the one before. */
  timeOf(entry: LogEntry): number;
  /** How many records have a later time than they say, because the one before them has the same or a later one. */
  readonly moved: number;
}

export type PlacementResult =
  | { readonly status: 'ok'; readonly placement: Placement }
  | { readonly status: 'needs_interval' };

/** A record's own time counts, then the elapsed time, then the interval. The last record has the time of the file. */
export function placeRecords(
  { records, times, elapsedMs, firstMs, lastMs, modifiedMs }: Survey,
  { startMs, intervalMs }: { readonly startMs: number | undefined; readonly intervalMs: number | undefined },
): PlacementResult {
  if (times === 'none' && intervalMs === undefined) return { status: 'needs_interval' };
  const step = intervalMs ?? 0;
  const lengthMs = times === 'elapsed' ? elapsedMs : (records - 1) * step;
  const originMs = startMs ?? modifiedMs - lengthMs;
  const sinceStart = createElapsed();
  let index = 0;
  let last = Number.NEGATIVE_INFINITY;
  let moved = 0;
  return {
    status: 'ok',
    placement: {
      firstMs: Math.floor(times === 'own' ? firstMs : Math.min(firstMs, originMs)),
      lastMs: Math.floor(times === 'own' ? lastMs : Math.max(lastMs, originMs + lengthMs)),
      timeOf({ record }) {
        const offset = times === 'elapsed' ? sinceStart(record.elapsed ?? 0) : index * step;
        index++;
        const timeMs = wholeMs(record.time ?? originMs + offset);
        if (timeMs <= last && record.time !== undefined) moved++;
        last = Math.max(timeMs, last + 1);
        return last;
      },
      get moved() {
        return moved;
      },
    },
  };
}
