import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExportRequest } from '../../../src/otlp/export-request.ts';
import { createMemoryQueue, type Drop, type MemoryLimits } from '../../../src/otlp/queue/memory-queue.ts';

type NumberRequest = ExportRequest<number>;
const snapshot = (data: number, bytes = 4): NumberRequest => ({ kind: 'snapshot', data, bytes });
const heartbeat = (data: number): NumberRequest => ({ kind: 'heartbeat', data, bytes: 4 });
const values = (requests: readonly NumberRequest[]) => requests.map(({ data }) => data);
const reasons = (drops: readonly Drop<NumberRequest>[]) => drops.map(({ reason }) => reason);
/** Limits that only the number of requests meets. */
const atMost = (requests: number) => ({ requests, bytes: 1_000_000 });
const createQueue = (limits: MemoryLimits) => createMemoryQueue<NumberRequest>(limits);

describe('the memory queue', () => {
  it('gives the oldest first, and keeps them until they are delivered', () => {
    const queue = createQueue(atMost(10));
    for (const value of [1, 2, 3]) queue.push(snapshot(value));
    const lease = queue.lease('oldest');
    expect(values(lease.requests)).toEqual([1, 2, 3]);
    lease.nack();
    const again = queue.lease('oldest');
    expect(values(again.requests)).toEqual([1, 2, 3]);
    queue.push(snapshot(4));
    again.ack(again.requests);
    expect(values(queue.lease('oldest').requests)).toEqual([4]);
  });

  it('pushes out the oldest when it is full, and says so', () => {
    const queue = createQueue(atMost(2));
    const drops = [1, 2, 3, 4].map((value) => queue.push(snapshot(value)));
    expect(drops.map(reasons)).toEqual([[], [], ['queue_full'], ['queue_full']]);
    expect(values(drops.flat().map((it) => it.request))).toEqual([1, 2]);
    expect(values(queue.lease('oldest').requests)).toEqual([3, 4]);
  });

  it('pushes out nothing that is under way', () => {
    const queue = createQueue(atMost(2));
    queue.push(snapshot(1));
    const lease = queue.lease('oldest');
    for (const value of [2, 3, 4]) queue.push(snapshot(value));
    lease.ack(lease.requests);
    expect(values(queue.lease('oldest').requests)).toEqual([3, 4]);
  });

  it('pushes out as many of the oldest as a large one needs, by bytes', () => {
    const queue = createQueue({ requests: 10, bytes: 1000 });
    for (const value of [1, 2, 3, 4]) expect(queue.push(snapshot(value, 250))).toEqual([]);
    expect(reasons(queue.push(snapshot(5, 600)))).toEqual(Array(3).fill('queue_bytes_full'));
    expect(values(queue.lease('oldest').requests)).toEqual([4, 5]);
  });

  it('keeps the newest, even where it alone is too large', () => {
    const queue = createQueue({ requests: 10, bytes: 1000 });
    queue.push(snapshot(1, 900));
    expect(reasons(queue.push(snapshot(2, 1100)))).toEqual(['queue_bytes_full']);
    expect(values(queue.lease('oldest').requests)).toEqual([2]);
  });

  it('does not count the bytes that are under way, and makes room when they come back', () => {
    const queue = createQueue({ requests: 10, bytes: 1000 });
    queue.push(snapshot(1, 800));
    const lease = queue.lease('oldest');
    expect(queue.push(snapshot(2, 800))).toEqual([]);
    expect(reasons(lease.nack())).toEqual(['queue_bytes_full']);
    expect(values(queue.lease('oldest').requests)).toEqual([2]);
  });

  it('makes room again for what came in while all was under way, and says how much', () => {
    const queue = createQueue(atMost(3));
    let pushed = 0;
    let dropped = 0;
    for (let attempt = 0; attempt < 10; attempt++) {
      for (let turn = 0; turn < 3; turn++) dropped += queue.push(snapshot(++pushed)).length;
      const lease = queue.lease('oldest');
      for (let turn = 0; turn < 3; turn++) dropped += queue.push(snapshot(++pushed)).length;
      dropped += lease.nack().length;
      expect(queue.size).toBeLessThanOrEqual(3);
    }
    expect(values(queue.lease('oldest').requests)).toEqual([58, 59, 60]);
    expect(dropped).toBe(57);
  });

  it('keeps one heartbeat at most, however many attempts failed', () => {
    const queue = createQueue(atMost(10));
    queue.push(snapshot(1));
    for (let turn = 2; turn < 8; turn++) {
      const lease = queue.lease('oldest');
      queue.push(heartbeat(turn));
      lease.nack();
    }
    expect(values(queue.lease('oldest').requests)).toEqual([1, 7]);
  });

  it('replaces a heartbeat that still waits, and only that', () => {
    const queue = createQueue(atMost(10));
    queue.push(snapshot(1));
    queue.push(heartbeat(2));
    queue.push(heartbeat(3));
    queue.push(snapshot(4));
    expect(values(queue.lease('oldest').requests)).toEqual([1, 4]);
  });

  it('lends as many as fit one request, from either end', () => {
    const queue = createQueue({ ...atMost(10), leaseBytes: 1000 });
    for (const value of [1, 2, 3, 4]) queue.push(snapshot(value, 400));
    const oldest = queue.lease('oldest');
    expect(values(oldest.requests)).toEqual([1, 2]);
    oldest.nack();
    expect(values(queue.lease('newest').requests)).toEqual([3, 4]);
  });

  it('lends one that is too large for any request, so that it is refused and not in the way for ever', () => {
    const queue = createQueue({ ...atMost(10), leaseBytes: 100 });
    queue.push(snapshot(1, 500));
    queue.push(snapshot(2));
    expect(values(queue.lease('oldest').requests)).toEqual([1]);
  });

  it('loses nothing but what it says, in order, whatever is pushed and delivered', () => {
    const action = fc.constantFrom('snapshot', 'heartbeat', 'deliver', 'deliver one', 'fail');
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (actions, limit) => {
        const queue = createQueue(atMost(limit));
        const delivered: number[] = [];
        let [pushed, dropped] = [0, 0];
        for (const it of actions) {
          if (it === 'snapshot') dropped += queue.push(snapshot(++pushed)).length;
          else if (it === 'heartbeat') dropped += queue.push(heartbeat(0)).length;
          else {
            const lease = queue.lease('oldest');
            const done = it === 'deliver' ? lease.requests : lease.requests.slice(0, 1);
            if (it !== 'fail') {
              delivered.push(...values(done).filter((value) => value > 0));
              lease.ack(done);
            }
            dropped += lease.nack().length;
          }
          expect(queue.size).toBeLessThanOrEqual(limit);
        }
        const rest = values(queue.lease('oldest').requests).filter((value) => value > 0);
        const all = [...delivered, ...rest];
        expect(all).toEqual(all.toSorted((a, b) => a - b));
        expect(pushed - all.length).toBeLessThanOrEqual(dropped);
      }),
      { numRuns: 500 },
    );
  });

  it('takes an acknowledgement of a part, and keeps the rest', () => {
    const queue = createQueue(atMost(10));
    for (const value of [1, 2, 3]) queue.push(snapshot(value));
    const lease = queue.lease('oldest');
    lease.ack(lease.requests.slice(0, 2));
    expect(queue.size).toBe(1);
    lease.nack();
    expect(values(queue.lease('oldest').requests)).toEqual([3]);
  });

  it('gives each request to one lease at a time', () => {
    const queue = createQueue(atMost(10));
    queue.push(snapshot(1));
    const first = queue.lease('oldest');
    queue.push(snapshot(2));
    expect(values(queue.lease('newest').requests)).toEqual([2]);
    first.nack();
    // The lease is over, and says nothing of the request any more.
    first.ack(first.requests);
    expect(values(queue.lease('oldest').requests)).toEqual([1]);
  });
});
