import type { Clock } from '../common/clock.ts';
import type { Random } from '../common/jitter.ts';
import { pause, settlesWithin } from '../common/timing.ts';
import type { ExportOutcome } from './classify-response.ts';
import { exportLease } from './export-lease.ts';
import type { ExportRequest } from './export-request.ts';
import type { Exporter } from './exporter.ts';
import { joinLeases, type Lease } from './queue/lease.ts';
import type { Queue } from './queue/queue.ts';
import { retryDelay } from './retry-delay.ts';
import { createSendInterval, type SendIntervalOptions, type Urgency } from './send-interval.ts';
import { initialSendState } from './send-state.ts';

export interface Sender<T> {
  /** Puts a request into the queue and returns at once. The next export takes along all requests in the queue. */
  send(request: ExportRequest<T>, urgency?: Urgency): void;
  /** Sends queued requests, newest first; resolves to the number left at the deadline. Call it once, at the end. */
  close(deadlineMonotonicMs: number): Promise<number>;
  /** Requests that the Collector has not accepted, without those that wait for the end of the interval. */
  readonly waiting: number;
}

export interface SenderOptions<T> {
  readonly queue: Queue<ExportRequest<T>>;
  readonly createExporter: () => Exporter<T>;
  /** Whether two requests can be exported as one. */
  readonly canMerge: (one: T, other: T) => boolean;
  readonly clock: Clock;
  /** Longest pause between two attempts while the Collector cannot be reached. Attempts of many bridges are spread over it. */
  readonly maxRetryMs: number;
  /** By default, each request is sent at once. */
  readonly interval?: Pick<SendIntervalOptions, 'intervalMs' | 'limits' | 'spreadMs'>;
  readonly random: Random;
  readonly onExported: (outcome: ExportOutcome, requests: readonly ExportRequest<T>[]) => void;
}

const noInterval = { intervalMs: 0, limits: { requests: 1, bytes: 1 }, spreadMs: 0 };
const retryWhenClosingMs = 200;
/** The least time for pending disk writes at the end. It is taken from the time kept for ending the process. */
const leastFlushMs = 50;
/** How long a request is answered with "later" until the next one may try. The final flush does not wait for it. */
const longestLaterMs = 600_000;

/** Empties the queue, one request in flight, oldest first, and tries again until it succeeds. */
export function createSender<T>(options: SenderOptions<T>): Sender<T> {
  const { queue, createExporter, canMerge, clock, maxRetryMs, random, onExported } = options;
  const interval = createSendInterval({
    ...(options.interval ?? noInterval),
    clock,
    random,
    onEnd: startDraining,
  });
  let exporter = createExporter();
  let inFlight: Lease<ExportRequest<T>> | undefined;
  let draining: Promise<void> | undefined;
  let state = initialSendState;
  const closing = new AbortController();

  function renewExporter(): void {
    exporter.shutdown();
    exporter = createExporter();
  }

  /** If the oldest requests are blocked, the lease also holds newer ones, which may pass them. */
  async function leaseOldest(): Promise<Lease<ExportRequest<T>>> {
    const lease = await queue.lease('oldest');
    const laterMs = clock().monotonicMs - (state.laterSinceMs ?? Number.POSITIVE_INFINITY);
    const isBlocked = state.postponed > 0 || laterMs >= longestLaterMs;
    if (!isBlocked || lease.requests.length > state.postponed + 1) return lease;
    return joinLeases(lease, await queue.lease('oldest'));
  }

  /** Exports a lease and returns what was not accepted to the queue. Undefined if the lease is empty. */
  async function sendLease(
    lease: Lease<ExportRequest<T>>,
    patienceMs: number,
    signal?: AbortSignal,
  ): Promise<ExportOutcome | undefined> {
    inFlight = lease;
    interval.sending(lease.requests);
    const nowMs = () => clock().monotonicMs;
    const result = await exportLease(lease, state, { canMerge, exportBatch, nowMs, patienceMs, signal });
    lease.nack();
    state = result.state;
    return result.outcome;
  }

  async function exportBatch(batch: readonly ExportRequest<T>[]): Promise<ExportOutcome> {
    const used = exporter;
    const outcome = splitWhereDivisible(await used.export(batch), batch.length);
    onExported(outcome, batch);
    // A Collector that sends a retry delay is connected.
    if (outcome.status === 'retry' && outcome.afterMs === undefined && used === exporter) renewExporter();
    return outcome;
  }

  async function drain(): Promise<void> {
    let failures = 0;
    while (queue.size > interval.held && !closing.signal.aborted) {
      const { size } = queue;
      const outcome = await sendLease(await leaseOldest(), longestLaterMs, closing.signal);
      // The rest is on a volume that hangs. The next request tries again.
      if (outcome === undefined && queue.size === size) break;
      failures = outcome?.status === 'retry' ? failures + 1 : 0;
      if (outcome?.status !== 'retry') continue;
      const askedMs = outcome.afterMs ?? 0;
      await pause(retryDelay({ failures, maxMs: maxRetryMs, askedMs, random }), closing.signal);
    }
    draining = undefined;
  }

  function startDraining(): void {
    draining ??= drain();
  }

  async function flush(deadlineMonotonicMs: number): Promise<void> {
    while (queue.size > 0 && clock().monotonicMs < deadlineMonotonicMs) {
      const outcome = await sendLease(await queue.lease('newest'), 0);
      // The Collector, or the volume of the queue, does not answer.
      if (outcome === undefined || outcome.status === 'retry') await pause(retryWhenClosingMs);
    }
  }

  return {
    send(request, urgency = 'at_once') {
      queue.push(request);
      if (!interval.hold(request, urgency)) startDraining();
    },
    async close(deadlineMonotonicMs) {
      const left = () => Math.max(0, deadlineMonotonicMs - clock().monotonicMs);
      closing.abort();
      interval.stop();
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
    get waiting() {
      return Math.max(0, queue.size - interval.held);
    },
  };
}

/** A divisible request is rejected finally only if it is a single snapshot. */
function splitWhereDivisible(outcome: ExportOutcome, count: number): ExportOutcome {
  if (outcome.status !== 'rejected' || !outcome.divisible || count === 1) return outcome;
  return { status: 'split', reason: outcome.reason, code: outcome.code };
}
