import type { Position } from './position.ts';

/** How fast a run advances, from its latest writes. Its size is bounded. */
export interface Pace {
  readonly unit: Position['unit'] | undefined;
  /** The position after the latest write that advanced, from which the next interval is measured. */
  readonly from: Mark | undefined;
  /** The latest intervals, oldest first. */
  readonly intervals: readonly Interval[];
  /** Median of the intervals' time for one unit; undefined while too few are known. */
  readonly medianMs: number | undefined;
  /** The latest intervals that took much longer than usual, for example because of an evaluation. */
  readonly pauses: readonly Interval[];
}

interface Mark {
  readonly done: number;
  readonly monotonicMs: number;
}

interface Interval {
  readonly done: number;
  readonly ms: number;
  readonly end: Mark;
}

export const noPace: Pace = {
  unit: undefined,
  from: undefined,
  intervals: [],
  medianMs: undefined,
  pauses: [],
};

/** Intervals older than this are left out, unless fewer than `minRecent` are younger. */
const recentMs = 600_000;
const minRecent = 8;
const maxIntervals = 120;
const maxPauses = 8;
/** With only two intervals, a single pause could be the median. */
const minIntervals = 3;
/** Positions are of one write if less time is between them: the file system's clock is coarse, and records share a write. */
const oneWriteMs = 5;
/** An interval is a pause if it took this many times as long for its steps as the median interval. */
const pauseFactor = 3;

/**
 * Adds the position after a step. Time in which the run was stalled and steps that are trained again after a checkpoint
 * are not part of the pace: the next interval begins after them.
 */
export function advancePace(
  pace: Pace,
  position: Position | undefined,
  monotonicMs: number,
  after: 'running' | 'stalled',
): Pace {
  if (position === undefined) return pace;
  const end = { done: position.done, monotonicMs };
  if (position.unit !== pace.unit) return { ...noPace, unit: position.unit, from: end };
  if (pace.from === undefined || end.done < pace.from.done || after === 'stalled')
    return { ...pace, from: end };
  // A write without a step is measured together with the next one.
  if (end.done === pace.from.done) return pace;
  if (monotonicMs - pace.from.monotonicMs < oneWriteMs) return extendWrite(pace, pace.from, end.done);
  const interval = { done: end.done - pace.from.done, ms: monotonicMs - pace.from.monotonicMs, end };
  return withIntervals({ ...pace, from: end }, recent([...pace.intervals, interval], monotonicMs));
}

/**
 * Adds a further record of the same write. The steps of the first write are not part of the pace, because nothing is known
 * of the time before it: a log may hold hours.
 */
function extendWrite(pace: Pace, from: Mark, done: number): Pace {
  const end = { ...from, done };
  const last = pace.intervals.at(-1);
  if (last?.end !== from) return { ...pace, from: end };
  const extended = { ...last, done: last.done + done - from.done, end };
  const before = { ...pace, pauses: pace.pauses.filter((pause) => pause !== last) };
  return withIntervals({ ...before, from: end }, [...pace.intervals.slice(0, -1), extended]);
}

function withIntervals(pace: Pace, intervals: readonly Interval[]): Pace {
  const latest = intervals.at(-1);
  const isNewPause = latest !== undefined && isPause(latest, pace.medianMs);
  return {
    ...pace,
    intervals,
    medianMs: medianMsOf(intervals),
    pauses: isNewPause ? [...pace.pauses, latest].slice(-maxPauses) : pace.pauses,
  };
}

function recent(intervals: readonly Interval[], nowMs: number): readonly Interval[] {
  const first = intervals.findIndex(({ end }) => nowMs - end.monotonicMs <= recentMs);
  const kept = Math.max(minRecent, intervals.length - first);
  return intervals.slice(-Math.min(kept, maxIntervals));
}

/**
 * Milliseconds until the position reaches its total, if the run goes on as in its latest intervals; undefined while too
 * few are known, and past the total. A single pause does not count, because it may not come again. Pauses that came repeatedly are expected
 * to come again at the same distance.
 */
export function remainingMs(pace: Pace, position: Position): number | undefined {
  if (position.done === position.total) return 0;
  if (position.done > position.total) return undefined;
  const median = pace.medianMs;
  if (median === undefined || pace.unit !== position.unit) return undefined;
  const perUnit = meanMs(pace.intervals, median);
  const pauses = pace.pauses.filter((interval) => isPause(interval, median));
  return (position.total - position.done) * perUnit + expectedPausesMs(pauses, position, perUnit);
}

function expectedPausesMs(pauses: readonly Interval[], { done, total }: Position, msPerUnit: number): number {
  const [first, last] = [pauses[0], pauses.at(-1)];
  if (first === undefined || last === undefined || pauses.length < 2) return 0;
  const distance = (last.end.done - first.end.done) / (pauses.length - 1);
  // They are no longer expected if they did not come for twice their distance, or if the job went back.
  if (distance <= 0 || done < last.end.done || done - last.end.done > 2 * distance) return 0;
  const lengthMs = sumOf(pauses, (pause) => pause.ms - pause.done * msPerUnit) / pauses.length;
  return Math.max(0, Math.floor((total - last.end.done) / distance) * lengthMs);
}

/** Mean time for one unit, without pauses. One loop, because this is computed for each snapshot. */
function meanMs(intervals: readonly Interval[], median: number): number {
  let [totalMs, done] = [0, 0];
  for (const interval of intervals) {
    if (isPause(interval, median)) continue;
    totalMs += interval.ms;
    done += interval.done;
  }
  return totalMs / done;
}

function medianMsOf(intervals: readonly Interval[]): number | undefined {
  if (intervals.length < minIntervals) return undefined;
  // A typed array sorts numbers without a call of a function for each comparison.
  const sorted = Float64Array.from(intervals, ({ done, ms }) => ms / done).sort();
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

const isPause = ({ done, ms }: Interval, median: number | undefined) =>
  median !== undefined && ms / done > pauseFactor * median;

const sumOf = (intervals: readonly Interval[], read: (interval: Interval) => number) =>
  intervals.reduce((sum, interval) => sum + read(interval), 0);
