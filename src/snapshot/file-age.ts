import type { Moment } from '../common/clock.ts';

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
 * The file's modification time gives the age at the check that found it. If the system clock was set since the check
 * before, the two cannot be compared; the write is then at most as old as the time between the two checks.
 */
export function createFileAge(): FileAge {
  let writtenMonotonicMs: number | undefined;
  let lastCheck: Moment | undefined;
  return {
    written(modifiedMs, now) {
      const byTimestamp = Math.max(0, now.unixMs - modifiedMs);
      const ageMs =
        lastCheck !== undefined && clockWasSet(lastCheck, now)
          ? Math.min(byTimestamp, now.monotonicMs - lastCheck.monotonicMs)
          : byTimestamp;
      writtenMonotonicMs = now.monotonicMs - ageMs;
    },
    checked(now) {
      lastCheck = now;
    },
    at(now) {
      return writtenMonotonicMs === undefined ? undefined : now.monotonicMs - writtenMonotonicMs;
    },
  };
}

/** Whether the system clock was set between two moments. Slewing by NTP stays far below a second. */
function clockWasSet(earlier: Moment, later: Moment): boolean {
  return Math.abs(later.unixMs - later.monotonicMs - (earlier.unixMs - earlier.monotonicMs)) > 1_000;
}
