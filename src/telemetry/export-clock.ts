import type { Clock, Moment } from '../common/clock.ts';

/** The rate of the exported time while the system clock is behind it. */
const slewRate = 0.5;

/**
 * The time of exported data points. It is the system clock, but never decreases: a Collector ignores points that are
 * older than the last of their series, and a start time must not be later than its points. After the clock was set back,
 * this clock runs at half the speed until the system clock has caught up.
 */
export function createExportClock(clock: Clock): Clock {
  let last: Moment | undefined;
  return () => {
    const { unixMs, monotonicMs } = clock();
    const earliestMs = last ? last.unixMs + (monotonicMs - last.monotonicMs) * slewRate : unixMs;
    last = { unixMs: Math.max(unixMs, earliestMs), monotonicMs };
    return last;
  };
}
