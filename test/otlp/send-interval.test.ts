import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import type { ExportRequest } from '../../src/otlp/export-request.ts';
import { createSendInterval, type Urgency } from '../../src/otlp/send-interval.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Sends as the sender does: all that waits, as soon as something is not held. */
function setUp({ intervalMs = 5_000, requests = 100, bytes = 1_000, random = (): number => 0 } = {}) {
  let queue: ExportRequest[] = [];
  const sent: { readonly atMs: number; readonly requests: readonly ExportRequest[] }[] = [];
  const startMs = systemClock().monotonicMs;
  const sendAll = () => {
    if (queue.length === 0) return;
    sent.push({ atMs: Math.round(systemClock().monotonicMs - startMs), requests: queue });
    interval.sending(queue);
    queue = [];
  };
  const limits = { requests, bytes };
  const interval = createSendInterval({
    intervalMs,
    limits,
    spreadMs: 5_000,
    clock: systemClock,
    random,
    onEnd: sendAll,
  });
  const push = (urgency: Urgency = 'may_wait', request: Partial<ExportRequest> = {}) => {
    const added = { kind: 'snapshot', data: undefined, bytes: 1, ...request } as const;
    queue.push(added);
    if (!interval.hold(added, urgency)) sendAll();
  };
  const passMs = (ms: number) => vi.advanceTimersByTime(ms);
  return {
    interval,
    push,
    passMs,
    times: () => sent.map(({ atMs }) => atMs),
    counts: () => sent.map((it) => it.requests.length),
  };
}

describe('the interval between exports', () => {
  it('does not delay a snapshot after a pause', () => {
    const { push, passMs, times } = setUp();
    push();
    passMs(60_000);
    push();
    expect(times()).toEqual([0, 60_000]);
  });

  it('makes one export of all snapshots read in it', () => {
    const { push, passMs, times, counts } = setUp();
    for (let second = 0; second < 21; second++) {
      push();
      passMs(1_000);
    }
    expect(times()).toEqual([0, 5_000, 10_000, 15_000, 20_000]);
    expect(counts()).toEqual([1, 4, 5, 5, 5]);
  });

  it.each([-200, -20, -1, 0, 1, 20])('does not delay a snapshot that comes %i ms after its end', (offMs) => {
    const { push, passMs, times, counts } = setUp();
    push();
    for (let poll = 0; poll < 10; poll++) {
      passMs(5_000 + offMs);
      push();
    }
    expect(counts()).toEqual(Array(11).fill(1));
    expect(times()).toEqual(Array.from({ length: 11 }, (_, poll) => poll * (5_000 + offMs)));
  });

  it('does not begin with a heartbeat, which takes along what waits', () => {
    const { push, passMs, times, counts } = setUp();
    push('at_once', { kind: 'heartbeat' });
    push();
    passMs(1_000);
    push();
    push('at_once', { kind: 'heartbeat' });
    passMs(60_000);
    expect(times()).toEqual([0, 0, 1_000]);
    expect(counts()).toEqual([1, 1, 2]);
  });

  it('does not hold back what is urgent, which takes along what waits and begins the interval again', () => {
    const { push, passMs, times, counts } = setUp();
    push();
    passMs(1_000);
    push();
    push('at_once');
    passMs(4_500);
    push();
    passMs(60_000);
    expect(times()).toEqual([0, 1_000, 6_000]);
    expect(counts()).toEqual([1, 2, 1]);
  });

  it.each([
    ['requests', { requests: 3 }, [1, 3, 3, 3]],
    ['bytes', { bytes: 4 }, [1, 4, 4]],
  ])('ends when so many %s are held that the queue might overflow', (_name, limits, expected) => {
    const { push, counts } = setUp(limits);
    for (let count = 0; count < 10; count++) push();
    expect(counts()).toEqual(expected);
  });

  it('counts a heartbeat that may wait until the next request replaces it', () => {
    const { interval, push } = setUp({ bytes: 4 });
    push();
    push('may_wait', { kind: 'heartbeat', bytes: 2 });
    push();
    push('may_wait', { kind: 'heartbeat', bytes: 2 });
    expect(interval.held).toBe(2);
  });

  it('of 0 sends each at once', () => {
    const { push, counts } = setUp({ intervalMs: 0 });
    for (let count = 0; count < 3; count++) push();
    expect(counts()).toEqual([1, 1, 1]);
  });

  it('is shorter after a pause and after an event, so that many bridges do not send together, but not in between', () => {
    const { push, passMs, times } = setUp({ random: () => 0.6 });
    for (let second = 0; second < 15; second++) {
      push(second === 9 ? 'at_once' : 'may_wait');
      passMs(1_000);
    }
    expect(times()).toEqual([0, 2_000, 7_000, 9_000, 11_000]);
  });

  it('leaves no timer when it is stopped', () => {
    const { interval, push } = setUp();
    push();
    push();
    interval.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
