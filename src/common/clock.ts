/**
 * A point in time on both clocks. Unix time is for what others read; it can jump when the system's clock is set.
 * Uptime only ever grows and is what durations are measured by.
 */
export interface Moment {
  readonly unixMs: number;
  readonly monotonicMs: number;
}

export type Clock = () => Moment;

export const systemClock: Clock = () => ({ unixMs: Date.now(), monotonicMs: performance.now() });
