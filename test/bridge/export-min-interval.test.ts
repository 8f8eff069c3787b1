import { describe, expect, it } from 'vitest';
import type { Receiver } from '../../src/commands/demo/receiver/receiver.ts';
import { systemClock } from '../../src/common/clock.ts';
import { startBridge, type TestBridge } from '../support/bridge.ts';

/** Longer than any test waits: what arrives did not wait for it. */
const longest = { EXPORT_MIN_INTERVAL: '30', OTEL_METRIC_EXPORT_INTERVAL: '30000' };

const losses = (receiver: Receiver) => receiver.points('ml.training.loss').map(({ value }) => value);
const stepOf = (step: number) => ({ metrics: { epoch: 1, batch_number: step, training_loss: step } });

/** The first snapshot arrives at once; the next two wait. */
async function startWaiting(options: Parameters<typeof startBridge>[0] = {}): Promise<TestBridge> {
  const bridge = await startBridge({ ...options, environment: { ...longest, ...options.environment } });
  await bridge.write(stepOf(1));
  await bridge.receiver.waitFor(() => losses(bridge.receiver).includes(1), 'the first');
  await bridge.write(stepOf(2));
  await bridge.write(stepOf(3));
  expect(losses(bridge.receiver)).toEqual([1]);
  return bridge;
}

/** The requests after the first, as the losses in each. */
const laterLosses = (receiver: Receiver) =>
  receiver.requests
    .slice(1)
    .map(({ points }) =>
      points.filter(({ metric }) => metric === 'ml.training.loss').map(({ value }) => value),
    );

describe('EXPORT_MIN_INTERVAL', () => {
  it('is over when its time has passed: one request, in which each snapshot has its own time', async () => {
    const { receiver, write, polls } = await startBridge({ environment: { EXPORT_MIN_INTERVAL: '2' } });
    for (const step of [1, 2, 3, 4]) await write(stepOf(step));
    await receiver.waitFor(() => losses(receiver).includes(4), 'the fourth');
    expect(laterLosses(receiver)).toEqual([[2, 3, 4]]);
    const read = polls.flatMap(({ outcome, moment }) => (outcome.status === 'ok' ? [moment.unixMs] : []));
    const times = receiver.points('ml.training.loss').map(({ timeMs }) => timeMs);
    for (const [index, timeMs] of times.entries()) {
      expect(timeMs).toBeGreaterThanOrEqual(Math.floor(read[index] ?? Number.NaN));
      expect(timeMs).toBeLessThan(read[index + 1] ?? Number.POSITIVE_INFINITY);
    }
  });

  it.each([
    ['a run that begins', { job: { job_id: 'another' } }],
    ['a run that ends', { top: { status: 'completed' } }],
    ['a loss that becomes NaN', { metrics: { training_loss: Number.NaN } }],
  ])('does not delay %s, nor what waits with it', async (_name, content) => {
    const { receiver, write } = await startWaiting();
    await write(content);
    await receiver.waitFor(() => losses(receiver).includes(3), 'what waited');
    expect(losses(receiver).slice(0, 3)).toEqual([1, 2, 3]);
  });

  it('does not delay a run that begins when another has ended', async () => {
    const { receiver, write } = await startWaiting();
    await write({ ...stepOf(4), top: { status: 'completed' } });
    await receiver.waitFor(() => losses(receiver).includes(4), 'the end');
    await write({ ...stepOf(5), job: { job_id: 'another' } });
    await receiver.waitFor(() => losses(receiver).includes(5), 'the begin');
  });

  it.each([
    ['stalls', { STALL_AFTER: '1' }],
    ['becomes stale', { STALE_AFTER: '1' }],
  ])('does not delay a run that %s', async (_name, environment) => {
    const { receiver } = await startWaiting({ environment });
    await receiver.waitFor(() => losses(receiver).includes(3), 'what waited');
    expect(laterLosses(receiver)[0]?.slice(0, 2)).toEqual([2, 3]);
  });

  it('does not delay a heartbeat, which takes along what waits', async () => {
    const { receiver } = await startWaiting({ environment: { OTEL_METRIC_EXPORT_INTERVAL: '1000' } });
    await receiver.waitFor(() => losses(receiver).includes(3), 'what waited');
    expect(laterLosses(receiver)[0]?.slice(0, 2)).toEqual([2, 3]);
  });

  it('does not delay the last export', async () => {
    const { receiver, stop } = await startWaiting();
    expect(await stop()).toMatchObject({ snapshots: 3, undelivered: 0 });
    expect(losses(receiver).slice(0, 3)).toEqual([1, 2, 3]);
  });

  it('ends when half of the queue waits, so that nothing is dropped', async () => {
    const { receiver, write } = await startWaiting({ environment: { EXPORT_QUEUE_SIZE: '6' } });
    await write(stepOf(4));
    await receiver.waitFor(() => losses(receiver).includes(4), 'the fourth');
    expect(laterLosses(receiver)).toEqual([[2, 3, 4]]);
  });

  it.each([
    ['half of the bytes of the queue wait', { exportQueueBytes: 1_000_000 }, 1_000_000],
    ['a request of 3 MiB waits', { exportQueueBytes: 100_000_000 }, 3 * 2 ** 20],
  ])('ends when %s', async (_name, config, limit) => {
    const { receiver, write } = await startWaiting({ config, environment: { MAX_EXTRA_METRICS: '400' } });
    const job = { job_id: 'x'.repeat(250), model_name: 'y'.repeat(250), dataset: 'z'.repeat(250) };
    const extras = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [`extra_${index}`, index]));
    // A run that begins does not wait.
    await write({ job, metrics: { training_loss: 0, ...extras } });
    await receiver.waitFor(() => losses(receiver).includes(0), 'the first of the run');
    const before = receiver.requests.length;
    for (let step = 4; receiver.requests.length === before && step < 40; step++)
      await write({ job, metrics: { training_loss: step, ...extras } });
    await receiver.waitFor(() => receiver.requests.length > before, 'a request');
    const [request] = receiver.requests.slice(before);
    // What is counted is an upper bound of what is sent.
    expect(request?.bytes).toBeGreaterThan(limit / 4);
    expect(request?.bytes).toBeLessThan(limit);
    const sent = request?.points.filter(({ metric }) => metric === 'ml.training.loss') ?? [];
    // None was dropped.
    expect(sent.map(({ value }) => value)).toEqual(sent.map((_, index) => 4 + index));
  });

  it('does not count what waits for it as a backlog', async () => {
    const { receiver, stop } = await startWaiting();
    await stop();
    expect(receiver.points('ml.bridge.backlog').map(({ value }) => value)).toEqual([0, 0]);
  });
});

it("exports of the bridge's own metrics are less than a minute apart at the Collector, however long both intervals are", async () => {
  let passedMs = 0;
  const clock = () => {
    const { unixMs, monotonicMs } = systemClock();
    return { unixMs: unixMs + passedMs, monotonicMs: monotonicMs + passedMs };
  };
  const { receiver, write } = await startBridge({
    clock,
    environment: { OTEL_METRIC_EXPORT_INTERVAL: '30000', EXPORT_MIN_INTERVAL: '0' },
  });
  const fullAtMs: number[] = [];
  for (let step = 1; step <= 10; step++) {
    await write(stepOf(step));
    await receiver.waitFor(() => losses(receiver).includes(step), `snapshot ${step}`);
    if (receiver.requests.at(-1)?.points.some(({ metric }) => metric === 'ml.bridge.backlog'))
      fullAtMs.push(passedMs);
    // They are due after 15 s. No heartbeat is, within 30 s of the snapshot before.
    passedMs += 16_000;
  }
  const gapsMs = fullAtMs.slice(1).map((atMs, index) => atMs - (fullAtMs[index] ?? 0));
  expect(gapsMs.length).toBeGreaterThan(2);
  // The longest EXPORT_MIN_INTERVAL may come on top.
  expect(Math.max(...gapsMs) + 30_000).toBeLessThan(60_000);
});
