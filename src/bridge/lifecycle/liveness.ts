import type { Clock } from '../../common/clock.ts';
import type { HealthChecks } from './health.ts';

export interface Liveness extends HealthChecks {
  polled(outcome: string): void;
}

/** Alive is a loop that is not late; ready is a loop that has polled once, whether or not there was a file yet. */
export function createLiveness(clock: Clock, collectionIntervalMs: number): Liveness {
  const started = clock().monotonicMs;
  // Three missed polls, and never less than what a slow volume may take for one.
  const lateAfterMs = 3 * collectionIntervalMs + 10_000;
  let last: { readonly monotonicMs: number; readonly outcome: string } | undefined;
  const ago = () => Math.round(clock().monotonicMs - (last?.monotonicMs ?? started)) / 1000;
  return {
    polled(outcome) {
      last = { monotonicMs: clock().monotonicMs, outcome };
    },
    livez() {
      const late = ago() * 1000 > lateAfterMs;
      const what = last === undefined ? 'started' : `polled the file (${last.outcome})`;
      return {
        healthy: !late,
        reason: `${what} ${ago()} s ago${late ? `, which is late: the limit is ${lateAfterMs / 1000} s` : ''}`,
      };
    },
    readyz() {
      if (last === undefined) return { healthy: false, reason: 'the first poll is not done yet' };
      return { healthy: true, reason: `polled the file (${last.outcome}) ${ago()} s ago` };
    },
  };
}
