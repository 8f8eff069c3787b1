import { type ExportRequest, maxRequestBytes, withinBytes } from '../export-request.ts';
import type { Lease, QueueEnd } from './lease.ts';

/** The requests that wait in memory, oldest first. */
export interface MemoryQueue<R> {
  /** Appends a request. Returns the oldest requests, if they were dropped to make room. */
  push(request: R): readonly Drop<R>[];
  /**
   * Leases the oldest, or the newest, requests that together fit one export; at least one, unless the queue is empty.
   * Leased requests are not dropped.
   */
  lease(end: QueueEnd): MemoryLease<R>;
  readonly size: number;
}

export interface MemoryLease<R> extends Pick<Lease<R>, 'requests' | 'ack'> {
  /** Returns the remaining requests to the queue, and gives those that are dropped because the queue has filled since. */
  nack(): readonly Drop<R>[];
}

export interface Drop<R> {
  readonly request: R;
  readonly reason: 'queue_full' | 'queue_bytes_full';
}

export interface MemoryLimits {
  readonly requests: number;
  /** Of all requests that wait. The newest is kept even if it alone is larger. */
  readonly bytes: number;
  /** Of a lease. */
  readonly leaseBytes?: number;
}

export function createMemoryQueue<R extends ExportRequest>(limits: MemoryLimits): MemoryQueue<R> {
  const { leaseBytes = maxRequestBytes } = limits;
  let waiting: R[] = [];
  const leased = new Set<R>();
  const free = () => (leased.size === 0 ? waiting : waiting.filter((request) => !leased.has(request)));

  /** Drops the oldest until the rest is within the limits. */
  function makeRoom(): readonly Drop<R>[] {
    const candidates = free();
    if (candidates.length < 2) return [];
    let bytes = sum(candidates);
    const drops: Drop<R>[] = [];
    for (const request of candidates.slice(0, -1)) {
      const left = candidates.length - drops.length;
      if (left <= limits.requests && bytes <= limits.bytes) break;
      drops.push({ request, reason: left > limits.requests ? 'queue_full' : 'queue_bytes_full' });
      bytes -= request.bytes;
    }
    remove(drops.map(({ request }) => request));
    return drops;
  }

  function remove(requests: readonly R[]): void {
    if (requests.length === 0) return;
    const gone = new Set(requests);
    waiting = waiting.filter((request) => !gone.has(request));
  }

  function take(end: QueueEnd): readonly R[] {
    if (end === 'oldest') return withinBytes(free(), leaseBytes);
    return withinBytes(free().toReversed(), leaseBytes).toReversed();
  }

  return {
    push(request) {
      const last = waiting.at(-1);
      if (last?.kind === 'heartbeat' && !leased.has(last)) waiting.pop();
      waiting.push(request);
      return makeRoom();
    },
    lease(end) {
      const requests = take(end);
      const open = new Set(requests);
      for (const request of requests) leased.add(request);
      const close = (those: Iterable<R>) => {
        for (const request of those) if (open.delete(request)) leased.delete(request);
      };
      return {
        requests,
        ack(done) {
          remove(done.filter((request) => open.has(request)));
          close(done);
        },
        nack() {
          close(open);
          // The next request repeats the values of a heartbeat.
          waiting = waiting.filter(
            (request, index) =>
              request.kind === 'snapshot' || index === waiting.length - 1 || leased.has(request),
          );
          return makeRoom();
        },
      };
    },
    get size() {
      return waiting.length;
    },
  };
}

const sum = (requests: readonly ExportRequest[]) =>
  requests.reduce((bytes, request) => bytes + request.bytes, 0);
