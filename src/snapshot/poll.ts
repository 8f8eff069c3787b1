import type { Clock } from '../common/clock.ts';
import { settlesWithin, withAbortGrace } from '../common/timing.ts';
import type { SourceChoice } from './create-source.ts';
import type { Ages, Poll, SnapshotSource } from './source.ts';

/** A source that never keeps its caller waiting for a volume that hangs. */
export interface BoundedPoller {
  readonly content: SnapshotSource['content'];
  /** Polls the source. The outcome is `hung` if that takes too long; the next call then gives the late result. */
  poll(limit?: number): Promise<Poll>;
  /** The last snapshots of a log that was not read to its end; undefined for other sources, and if that takes too long. */
  pollLast(): Promise<Poll | undefined>;
  /** Updates the age of the file without reading it. */
  stat(): Promise<void>;
  /** The ages at this moment. */
  ages(): Ages;
  /** Closes the source, unless a call hangs. */
  close(): Promise<void>;
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
  choice: SourceChoice,
  { clock, signal, graceMs, limitMs }: BoundedPollerOptions,
): BoundedPoller {
  let { source, replacement } = choice;
  /** The last poll for which `replacement` was called. */
  let checked: Poll | undefined;
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
    get content() {
      return source.content;
    },
    async poll(limit) {
      if (stat === undefined && read === undefined) startedMs = clock().monotonicMs;
      read ??= stat === undefined ? source.poll(limit) : stat.then(() => source.poll(limit));
      const current = read;
      try {
        if (!(await isInTime(current))) return hungPoll();
      } catch (error) {
        read = undefined;
        throw error;
      }
      read = undefined;
      const poll = await current;
      const replaced = poll === checked ? undefined : replacement?.(poll.outcome);
      if (replaced === undefined) return poll;
      checked = poll;
      read = replaced.then((next) => {
        if (next === undefined) return poll;
        source = next;
        replacement = undefined;
        return source.poll(limit);
      });
      return this.poll(limit);
    },
    async pollLast() {
      if (source.pollLast === undefined || stat !== undefined || read !== undefined) return undefined;
      read = source.pollLast();
      return (await isInTime(read)) ? read : undefined;
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
    async close() {
      if (!isLate) await source.close?.();
    },
    get late() {
      return isLate ? (read ?? stat) : undefined;
    },
  };
}
