import type { Clock } from '../common/clock.ts';
import { pause, settlesWithin } from '../common/timing.ts';
import { type Collection, coalesce } from './collection.ts';
import type { Connection } from './connection.ts';
import { describe, judge, type SendOutcome } from './outcome.ts';
import type { Queue } from './queue/queue.ts';

export interface Sender {
  /** Puts a collection into the queue and returns at once. */
  send(collection: Collection): void;
  /** Sends what waits, the newest first, and says how many were left at the deadline. Call it once, at the end. */
  close(deadlineMonotonicMs: number): Promise<number>;
}

export interface SenderOptions {
  readonly queue: Queue;
  readonly connection: Connection;
  readonly clock: Clock;
  /** Longest pause between two attempts while the Collector cannot be reached. */
  readonly maxRetryMs: number;
  readonly onAttempt: (outcome: SendOutcome, collections: readonly Collection[]) => void;
}

const firstRetryMs = 250;
const retryWhenClosingMs = 200;
/** The least that the disk gets at the end, of the part of the time that is kept for ending the process. */
const settlingMs = 50;
/** The longest pause a Collector can ask for: what it says must not silence a bridge for good. */
const longestThrottleMs = 300_000;

/** Empties the queue, one request in flight, oldest first, and tries again until it succeeds. */
export function createSender({ queue, connection, clock, maxRetryMs, onAttempt }: SenderOptions): Sender {
  let draining: Promise<void> | undefined;
  const closing = new AbortController();

  /** Undefined where there was nothing to send: what waited could not be read. */
  async function attempt(end: 'oldest' | 'newest'): Promise<SendOutcome | undefined> {
    const collections = await queue.lend(end);
    if (collections.length === 0) return undefined;
    const outcome = await exportOnce(collections);
    onAttempt(outcome, collections);
    if (outcome.status === 'retry') {
      // The next attempt is not to wait out gRPC's backoff, up to two minutes. One that asks for time is well connected.
      if (outcome.afterMs === undefined) connection.close();
      queue.giveBack();
    } else queue.remove(collections);
    return outcome;
  }

  async function exportOnce(collections: readonly Collection[]): Promise<SendOutcome> {
    try {
      return judge(await connection.export(coalesce(collections)));
    } catch (error) {
      return { status: 'retry', reason: describe(error) };
    }
  }

  async function drain(): Promise<void> {
    let failures = 0;
    while (queue.size > 0 && !closing.signal.aborted) {
      const outcome = await attempt('oldest');
      failures = outcome?.status === 'retry' ? failures + 1 : 0;
      if (outcome?.status === 'retry')
        await pause(retryDelay(failures, maxRetryMs, outcome.afterMs), closing.signal);
    }
    draining = undefined;
  }

  async function flush(deadlineMonotonicMs: number): Promise<void> {
    while (queue.size > 0 && clock().monotonicMs < deadlineMonotonicMs) {
      const outcome = await attempt('newest');
      if (outcome?.status === 'retry') await pause(retryWhenClosingMs);
    }
  }

  return {
    send(collection) {
      queue.push(collection);
      draining ??= drain();
    },
    async close(deadlineMonotonicMs) {
      const left = () => Math.max(0, deadlineMonotonicMs - clock().monotonicMs);
      closing.abort();
      // A request in flight gets half of the time; one that hangs must not keep the newest value from being sent.
      const settled = await settlesWithin(left() / 2, draining ?? Promise.resolve());
      if (!settled) {
        connection.close();
        await settlesWithin(left() / 2, draining ?? Promise.resolve());
      }
      await settlesWithin(left(), flush(deadlineMonotonicMs));
      connection.close();
      // What was delivered is not to be found by the next bridge.
      await settlesWithin(Math.max(left(), settlingMs), queue.settled());
      return queue.size;
    },
  };
}

/**
 * Doubles from a quarter of a second, and is spread, so that a thousand bridges do not come back at the same moment.
 * Where the Collector says how long, it is that long at least.
 */
function retryDelay(failures: number, maxMs: number, askedMs = 0): number {
  const delay = Math.min(maxMs, firstRetryMs * 2 ** Math.min(failures - 1, 20));
  return Math.max(delay * (0.5 + Math.random() / 2), Math.min(askedMs, longestThrottleMs));
}
