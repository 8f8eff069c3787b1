/**
 * A point in time on both clocks. Unix time is for exported and logged values; it can jump when the system clock is set.
 * Monotonic time never decreases and is used to measure durations.
 */
export interface Moment {
  readonly unixMs: number;
  readonly monotonicMs: number;
}

export type Clock = () => Moment;

export const systemClock: Clock = () => ({ unixMs: Date.now(), monotonicMs: performance.now() });
