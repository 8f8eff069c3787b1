import type { Moment } from '../common/clock.ts';

/** A trainer may write a little before its bridge has started. A file that is older by more is of an earlier run. */
export const maxWriteBeforeStartMs = 60_000;

/** Time since the file was last written, measured by the monotonic clock. */
export interface FileAge {
  /** Call it when a new version of the file is found. */
  written(modifiedMs: number, now: Moment): void;
  /** Call it after each check for a new version. */
  checked(now: Moment): void;
  /** Milliseconds, never negative; undefined until a version was found. */
  at(now: Moment): number | undefined;
}

/**
 * The file's modification time gives the age at the check that found it. A write is at most as old as the time since the
 * check before, which did not find it yet. This holds if the clock of this machine was set, or is not that of the file
 * server.
 */
export function createFileAge(): FileAge {
  let writtenMonotonicMs: number | undefined;
  let lastCheckMs: number | undefined;
  return {
    written(modifiedMs, now) {
      const byTimestampMs = Math.max(0, now.unixMs - modifiedMs);
      const sinceCheckMs =
        lastCheckMs === undefined ? Number.POSITIVE_INFINITY : now.monotonicMs - lastCheckMs;
      const ageMs = Math.min(byTimestampMs, sinceCheckMs);
      writtenMonotonicMs = now.monotonicMs - ageMs;
    },
    checked(now) {
      lastCheckMs = now.monotonicMs;
    },
    at(now) {
      return writtenMonotonicMs === undefined ? undefined : now.monotonicMs - writtenMonotonicMs;
    },
  };
}
