import type { Clock } from '../../common/clock.ts';
import type { HealthChecks } from './health.ts';

export interface Liveness extends HealthChecks {
  polled(outcome: string): void;
  /** Why the last export failed, and what to do about it; undefined if it succeeded. */
  exported(failure: string | undefined): void;
}

/**
 * Live: the loop is not late. Ready: the loop has polled, whether or not there was a file, and the last read returned.
 * A hung read does not end liveness: a restart would not free the volume, and would lose the queue in memory. A Collector
 * that cannot be reached does not end readiness: snapshots wait, and the pod of the training would not be ready either.
 */
export function createLiveness(clock: Clock, collectionIntervalMs: number): Liveness {
  const started = clock().monotonicMs;
  // Three missed polls, and never less than what a slow volume may take for one.
  const lateAfterMs = 3 * collectionIntervalMs + 10_000;
  let last: { readonly monotonicMs: number; readonly outcome: string } | undefined;
  let exportFailure: string | undefined;
  const ago = () => Math.round(clock().monotonicMs - (last?.monotonicMs ?? started)) / 1000;
  const lastPoll = () => (last === undefined ? 'started' : `polled the file (${last.outcome})`);
  const lastExport = () => (exportFailure === undefined ? '' : `; the last export failed: ${exportFailure}`);
  return {
    polled(outcome) {
      last = { monotonicMs: clock().monotonicMs, outcome };
    },
    exported(failure) {
      exportFailure = failure;
    },
    livez() {
      const late = ago() * 1000 > lateAfterMs;
      const limit = late ? `, which is late: the limit is ${lateAfterMs / 1000} s` : '';
      return { healthy: !late, reason: `${lastPoll()} ${ago()} s ago${limit}` };
    },
    readyz() {
      if (last === undefined) return { healthy: false, reason: 'the first poll is not done yet' };
      return { healthy: last.outcome !== 'hung', reason: `${lastPoll()} ${ago()} s ago${lastExport()}` };
    },
  };
}
