import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Collection } from '../../../src/otlp/collection.ts';
import { createBacklog, type Drop } from '../../../src/otlp/queue/memory-queue.ts';

/** A collection that is told by its first four bytes. */
const collection = (kind: Collection['kind'], value: number, bytes: number): Collection => {
  const request = Buffer.alloc(bytes);
  request.writeUInt32BE(value);
  return { kind, request };
};
const snapshot = (value: number, bytes = 4) => collection('snapshot', value, bytes);
const heartbeat = (value: number) => collection('heartbeat', value, 4);
const values = (collections: readonly Collection[]) =>
  collections.map(({ request }) => Buffer.from(request).readUInt32BE());
const reasons = (drops: readonly Drop[]) => drops.map(({ reason }) => reason);
/** Limits that only the number of collections meets. */
const atMost = (collections: number) => ({ collections, bytes: 1_000_000 });

describe('the backlog', () => {
  it('gives the oldest first, and keeps them until they are delivered', () => {
    const backlog = createBacklog(atMost(10));
    for (const value of [1, 2, 3]) backlog.push(snapshot(value));
    expect(values(backlog.lend('oldest'))).toEqual([1, 2, 3]);
    backlog.giveBack();
    const again = backlog.lend('oldest');
    expect(values(again)).toEqual([1, 2, 3]);
    backlog.push(snapshot(4));
    backlog.remove(again);
    expect(values(backlog.lend('oldest'))).toEqual([4]);
  });

  it('pushes out the oldest when it is full, and says so', () => {
    const backlog = createBacklog(atMost(2));
    const drops = [1, 2, 3, 4].map((value) => backlog.push(snapshot(value)));
    expect(drops.map(reasons)).toEqual([[], [], ['queue_full'], ['queue_full']]);
    expect(values(drops.flat().map((it) => it.collection))).toEqual([1, 2]);
    expect(values(backlog.lend('oldest'))).toEqual([3, 4]);
  });

  it('pushes out nothing that is under way', () => {
    const backlog = createBacklog(atMost(2));
    backlog.push(snapshot(1));
    const lent = backlog.lend('oldest');
    for (const value of [2, 3, 4]) backlog.push(snapshot(value));
    backlog.remove(lent);
    expect(values(backlog.lend('oldest'))).toEqual([3, 4]);
  });

  it('pushes out as many of the oldest as a large one needs, by bytes', () => {
    const backlog = createBacklog({ collections: 10, bytes: 1000 });
    for (const value of [1, 2, 3, 4]) expect(backlog.push(snapshot(value, 250))).toEqual([]);
    expect(reasons(backlog.push(snapshot(5, 600)))).toEqual(Array(3).fill('queue_bytes_full'));
    expect(values(backlog.lend('oldest'))).toEqual([4, 5]);
  });

  it('keeps the newest, even where it alone is too large', () => {
    const backlog = createBacklog({ collections: 10, bytes: 1000 });
    backlog.push(snapshot(1, 900));
    expect(reasons(backlog.push(snapshot(2, 1100)))).toEqual(['queue_bytes_full']);
    expect(values(backlog.lend('oldest'))).toEqual([2]);
  });

  it('does not count the bytes that are under way, and makes room when they come back', () => {
    const backlog = createBacklog({ collections: 10, bytes: 1000 });
    backlog.push(snapshot(1, 800));
    backlog.lend('oldest');
    expect(backlog.push(snapshot(2, 800))).toEqual([]);
    expect(reasons(backlog.giveBack())).toEqual(['queue_bytes_full']);
    expect(values(backlog.lend('oldest'))).toEqual([2]);
  });

  it('makes room again for what came in while all was under way, and says how much', () => {
    const backlog = createBacklog(atMost(3));
    let pushed = 0;
    let dropped = 0;
    for (let attempt = 0; attempt < 10; attempt++) {
      for (let turn = 0; turn < 3; turn++) dropped += backlog.push(snapshot(++pushed)).length;
      backlog.lend('oldest');
      for (let turn = 0; turn < 3; turn++) dropped += backlog.push(snapshot(++pushed)).length;
      dropped += backlog.giveBack().length;
      expect(backlog.size).toBeLessThanOrEqual(3);
    }
    expect(values(backlog.lend('oldest'))).toEqual([58, 59, 60]);
    expect(dropped).toBe(57);
  });

  it('keeps one heartbeat at most, however many attempts failed', () => {
    const backlog = createBacklog(atMost(10));
    backlog.push(snapshot(1));
    for (let turn = 2; turn < 8; turn++) {
      backlog.lend('oldest');
      backlog.push(heartbeat(turn));
      backlog.giveBack();
    }
    expect(values(backlog.lend('oldest'))).toEqual([1, 7]);
  });

  it('replaces a heartbeat that still waits, and only that', () => {
    const backlog = createBacklog(atMost(10));
    backlog.push(snapshot(1));
    backlog.push(heartbeat(2));
    backlog.push(heartbeat(3));
    backlog.push(snapshot(4));
    expect(values(backlog.lend('oldest'))).toEqual([1, 4]);
  });

  it('lends as many as fit one request, from either end', () => {
    const backlog = createBacklog({ ...atMost(10), requestBytes: 1000 });
    for (const value of [1, 2, 3, 4]) backlog.push(snapshot(value, 400));
    expect(values(backlog.lend('oldest'))).toEqual([1, 2]);
    expect(values(backlog.lend('newest'))).toEqual([3, 4]);
  });

  it('lends one that is too large for any request, so that it is refused and not in the way for ever', () => {
    const backlog = createBacklog({ ...atMost(10), requestBytes: 100 });
    backlog.push(snapshot(1, 500));
    backlog.push(snapshot(2));
    expect(values(backlog.lend('oldest'))).toEqual([1]);
  });

  it('loses nothing but what it says, in order, whatever is pushed and delivered', () => {
    const action = fc.constantFrom('snapshot', 'heartbeat', 'deliver', 'fail');
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (actions, limit) => {
        const backlog = createBacklog(atMost(limit));
        const delivered: number[] = [];
        let [pushed, dropped] = [0, 0];
        for (const it of actions) {
          if (it === 'snapshot') dropped += backlog.push(snapshot(++pushed)).length;
          else if (it === 'heartbeat') dropped += backlog.push(heartbeat(0)).length;
          else {
            const lent = backlog.lend('oldest');
            if (it === 'fail') backlog.giveBack();
            else {
              delivered.push(...(values(lent) as number[]).filter((value) => value > 0));
              backlog.remove(lent);
            }
          }
          expect(backlog.size).toBeLessThanOrEqual(limit);
        }
        const rest = (values(backlog.lend('oldest')) as number[]).filter((value) => value > 0);
        const all = [...delivered, ...rest];
        expect(all).toEqual(all.toSorted((a, b) => a - b));
        expect(pushed - all.length).toBeLessThanOrEqual(dropped);
      }),
      { numRuns: 500 },
    );
  });
});
