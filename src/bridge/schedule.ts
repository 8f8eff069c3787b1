/** When the next poll and the next export are due, in milliseconds of the monotonic clock. */
export interface Schedule {
  readonly nextPollMs: number;
  /** When an export is due even if no snapshot is new. */
  readonly nextExportMs: number;
}

export interface Intervals {
  readonly collectionIntervalMs: number;
  readonly exportIntervalMs: number;
}

export function startSchedule(nowMs: number): Schedule {
  return { nextPollMs: nowMs, nextExportMs: nowMs };
}

/** Polls keep their rhythm. Polls that were missed because something took long are not made up for. */
export function afterPoll(schedule: Schedule, nowMs: number, { collectionIntervalMs }: Intervals): Schedule {
  return { ...schedule, nextPollMs: Math.max(schedule.nextPollMs + collectionIntervalMs, nowMs) };
}

/** Any export keeps the series alive, so the next one is due a whole interval after it. */
export function afterExport(schedule: Schedule, nowMs: number, { exportIntervalMs }: Intervals): Schedule {
  return { ...schedule, nextExportMs: nowMs + exportIntervalMs };
}

/** How long nothing is due; never negative. */
export function idleMs({ nextPollMs, nextExportMs }: Schedule, nowMs: number): number {
  return Math.max(0, Math.min(nextPollMs, nextExportMs) - nowMs);
}
