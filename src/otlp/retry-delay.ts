import type { Random } from '../common/jitter.ts';

export interface RetryDelayOptions {
  /** Attempts that failed since the last success; at least 1. */
  readonly failures: number;
  /** The longest pause, unless the Collector asks for more. */
  readonly maxMs: number;
  /** The pause that the Collector asks for; 0 if it does not. */
  readonly askedMs: number;
  readonly random: Random;
}

const shortestMs = 125;
/** The longest pause that a Collector can ask for: one answer must not stop a bridge for hours. */
const longestAskedMs = 300_000;

/**
 * The pause before the next attempt, in milliseconds. Its lower bound grows exponentially, up to half of the longest
 * pause. Its upper bound is the longest pause from the first attempt on: bridges that lost a Collector at the same moment
 * are spread at once, and do not come back together. A pause that the Collector asks for is spread in the same way.
 */
export function retryDelay({ failures, maxMs, askedMs, random }: RetryDelayOptions): number {
  const shortest = Math.min(maxMs / 2, shortestMs * 2 ** Math.min(failures - 1, 20));
  return Math.max(shortest, Math.min(askedMs, longestAskedMs)) + random() * (maxMs - shortest);
}
