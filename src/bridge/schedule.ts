import type { Random } from '../common/jitter.ts';

/** When the next poll and the next export are due, in milliseconds of the monotonic clock. */
export interface Schedule {
  readonly nextPollMs: number;
  /** When an export is due even if no snapshot is new. */
  readonly nextExportMs: number;
}

export interface Jitter {
  readonly random: Random;
  /** The longest time by which something is earlier or later, in milliseconds. */
  readonly spreadMs: number;
}

export interface Intervals {
  readonly collectionIntervalMs: number;
  readonly exportIntervalMs: number;
}

/**
 * The first poll is due at once. The rhythm of the polls that follow, and the first heartbeat, are random within `spreadMs`,
 * so that bridges that start together do not send together.
 */
export function startSchedule(nowMs: number, intervals: Intervals, jitter: Jitter): Schedule {
  const pollSpreadMs = Math.min(jitter.spreadMs, intervals.collectionIntervalMs);
  return {
    nextPollMs: nowMs - jitter.random() * pollSpreadMs,
    nextExportMs: nowMs + jitter.random() * jitter.spreadMs,
  };
}

/** Polls keep their rhythm. Polls that were missed, for example during a slow read, are not repeated. */
export function afterPoll(schedule: Schedule, nowMs: number, { collectionIntervalMs }: Intervals): Schedule {
  return { ...schedule, nextPollMs: Math.max(schedule.nextPollMs + collectionIntervalMs, nowMs) };
}

/**
 * Any export keeps the series alive, so the next one is due a whole interval after it. After an event, which many bridges
 * see at the same moment, it is due up to `spreadMs` earlier.
 */
export function afterExport(
  schedule: Schedule,
  nowMs: number,
  { exportIntervalMs }: Intervals,
  jitter?: Jitter,
): Schedule {
  const earlierMs = jitter === undefined ? 0 : jitter.random() * jitter.spreadMs;
  return { ...schedule, nextExportMs: nowMs + exportIntervalMs - earlierMs };
}

/** Time until the next poll or export is due; never negative. */
export function idleMs({ nextPollMs, nextExportMs }: Schedule, nowMs: number): number {
  return Math.max(0, Math.min(nextPollMs, nextExportMs) - nowMs);
}
