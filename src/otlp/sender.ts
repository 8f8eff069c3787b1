import type { Clock } from '../common/clock.ts';
import { pause, settlesWithin } from '../common/timing.ts';
import type { ExportOutcome } from './classify-response.ts';
import { type ExportRequest, withinBytes } from './export-request.ts';
import type { Exporter } from './exporter.ts';
import type { Lease } from './queue/lease.ts';
import type { Queue } from './queue/queue.ts';

export interface Sender<T> {
  /** Puts a request into the queue and returns at once. */
  send(request: ExportRequest<T>): void;
  /** Sends what waits, the newest first, and says how many were left at the deadline. Call it once, at the end. */
  close(deadlineMonotonicMs: number): Promise<number>;
}

export interface SenderOptions<T> {
  readonly queue: Queue<ExportRequest<T>>;
  readonly createExporter: () => Exporter<T>;
  /** Whether two requests can be exported as one. */
  readonly canMerge: (one: T, other: T) => boolean;
  readonly clock: Clock;
  /** Longest pause between two attempts while the Collector cannot be reached. */
  readonly maxRetryMs: number;
  readonly onExported: (outcome: ExportOutcome, requests: readonly ExportRequest<T>[]) => void;
}

const firstRetryMs = 250;
const retryWhenClosingMs = 200;
/** The least that the disk gets at the end, of the part of the time that is kept for ending the process. */
const leastFlushMs = 50;
/** The longest pause a Collector can ask for: its answer must not silence a bridge for good. */
const longestThrottleMs = 300_000;

/** Empties the queue, one request in flight, oldest first, and tries again until it succeeds. */
export function createSender<T>(options: SenderOptions<T>): Sender<T> {
  const { queue, createExporter, canMerge, clock, maxRetryMs, onExported } = options;
  let exporter = createExporter();
  let inFlight: Lease<ExportRequest<T>> | undefined;
  let draining: Promise<void> | undefined;
  const closing = new AbortController();

  function renewExporter(): void {
    exporter.shutdown();
    exporter = createExporter();
  }

  /** Exports what a lease holds, and stops where it has to be tried again. Undefined where it holds nothing. */
  async function exportLease(
    lease: Lease<ExportRequest<T>>,
    signal?: AbortSignal,
  ): Promise<ExportOutcome | undefined> {
    let outcome: ExportOutcome | undefined;
    let left = lease.requests;
    inFlight = lease;
    while (left.length > 0 && !signal?.aborted) {
      const batch = firstBatch(left, canMerge);
      outcome = await exportBatch(batch);
      if (outcome.status === 'retry') break;
      lease.ack(batch);
      left = left.slice(batch.length);
    }
    lease.nack();
    return outcome;
  }

  async function exportBatch(batch: readonly ExportRequest<T>[]): Promise<ExportOutcome> {
    const used = exporter;
    const outcome = await used.export(batch);
    onExported(outcome, batch);
    // A Collector that asks for time is well connected.
    if (outcome.status === 'retry' && outcome.afterMs === undefined && used === exporter) renewExporter();
    return outcome;
  }

  async function drain(): Promise<void> {
    let failures = 0;
    while (queue.size > 0 && !closing.signal.aborted) {
      const outcome = await exportLease(await queue.lease('oldest'), closing.signal);
      failures = outcome?.status === 'retry' ? failures + 1 : 0;
      if (outcome?.status === 'retry')
        await pause(retryDelay(failures, maxRetryMs, outcome.afterMs), closing.signal);
    }
    draining = undefined;
  }

  async function flush(deadlineMonotonicMs: number): Promise<void> {
    while (queue.size > 0 && clock().monotonicMs < deadlineMonotonicMs) {
      const outcome = await exportLease(await queue.lease('newest'));
      if (outcome?.status === 'retry') await pause(retryWhenClosingMs);
    }
  }

  return {
    send(request) {
      queue.push(request);
      draining ??= drain();
    },
    async close(deadlineMonotonicMs) {
      const left = () => Math.max(0, deadlineMonotonicMs - clock().monotonicMs);
      closing.abort();
      // A request in flight gets half of the time. Nothing can cancel one that hangs, so another exporter sends the rest.
      const isDone = await settlesWithin(left() / 2, draining ?? Promise.resolve());
      if (!isDone) {
        inFlight?.nack();
        renewExporter();
      }
      await settlesWithin(left(), flush(deadlineMonotonicMs));
      exporter.shutdown();
      // What was delivered must not be found by the next bridge.
      await settlesWithin(Math.max(left(), leastFlushMs), queue.flushed());
      return queue.size;
    },
  };
}

/** The requests at the start of a list that can be exported as one. */
function firstBatch<T>(
  requests: readonly ExportRequest<T>[],
  canMerge: (one: T, other: T) => boolean,
): readonly ExportRequest<T>[] {
  const [first] = requests;
  const end = requests.findIndex(({ data }) => first !== undefined && !canMerge(first.data, data));
  return withinBytes(end < 0 ? requests : requests.slice(0, end));
}

/**
 * Doubles from a quarter of a second, and is spread, so that a thousand bridges do not come back at the same moment.
 * Where the Collector says how long, it is that long at least.
 */
function retryDelay(failures: number, maxMs: number, askedMs = 0): number {
  const delay = Math.min(maxMs, firstRetryMs * 2 ** Math.min(failures - 1, 20));
  return Math.max(delay * (0.5 + Math.random() / 2), Math.min(askedMs, longestThrottleMs));
}
