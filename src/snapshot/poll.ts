import type { Clock } from '../common/clock.ts';
import { settlesWithin, withAbortGrace } from '../common/timing.ts';
import type { Ages, Poll, SnapshotSource } from './source.ts';

/** A source that never keeps its caller waiting for a volume that hangs. */
export interface BoundedPoller {
  /** Polls the source. The outcome is `hung` if that takes too long; the next call then gives the late result. */
  poll(): Promise<Poll>;
  /** Updates the age of the file without reading it. */
  stat(): Promise<void>;
  /** The ages at this moment. */
  ages(): Ages;
  /** Settles when the call that hangs has returned; undefined if none hangs. */
  readonly late: Promise<unknown> | undefined;
}

export interface BoundedPollerOptions {
  readonly clock: Clock;
  /** Once it is aborted, a call may take `graceMs` instead of `limitMs`. */
  readonly signal: AbortSignal;
  readonly graceMs: number;
  readonly limitMs: number;
}

/**
 * A call that hangs occupies a thread of libuv's pool until it returns, and nothing can interrupt it. So there is at
 * most one at a time, and once it is late nobody waits for it any more.
 */
export function createBoundedPoller(
  source: SnapshotSource,
  { clock, signal, graceMs, limitMs }: BoundedPollerOptions,
): BoundedPoller {
  let stat: Promise<void> | undefined;
  let read: Promise<Poll> | undefined;
  let startedMs = 0;
  let isLate = false;

  async function isInTime(call: Promise<unknown>): Promise<boolean> {
    const settles = settlesWithin(isLate ? 0 : limitMs, call);
    const inTime = (await withAbortGrace(settles, signal, graceMs)) ?? false;
    isLate = !inTime;
    return inTime;
  }

  function hungPoll(): Poll {
    const moment = clock();
    const seconds = Math.round((moment.monotonicMs - startedMs) / 100) / 10;
    const outcome = { status: 'hung', reason: `reading it has not returned for ${seconds} s` } as const;
    return { outcome, moment, ...source.ages(moment) };
  }

  return {
    async poll() {
      if (stat === undefined && read === undefined) startedMs = clock().monotonicMs;
      read ??= stat === undefined ? source.poll() : stat.then(() => source.poll());
      const current = read;
      try {
        if (!(await isInTime(current))) return hungPoll();
      } catch (error) {
        read = undefined;
        throw error;
      }
      read = undefined;
      return current;
    },
    async stat() {
      if (stat !== undefined || read !== undefined) return;
      startedMs = clock().monotonicMs;
      stat = source.stat().finally(() => {
        stat = undefined;
      });
      await isInTime(stat);
    },
    ages: () => source.ages(clock()),
    get late() {
      return isLate ? (read ?? stat) : undefined;
    },
  };
}
