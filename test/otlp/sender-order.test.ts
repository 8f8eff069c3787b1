import { Metadata, status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { classifyResponse, type ExportOutcome } from '../../src/otlp/classify-response.ts';
import type { ExportRequest } from '../../src/otlp/export-request.ts';
import type { Exporter } from '../../src/otlp/exporter.ts';
import { createMemoryQueue } from '../../src/otlp/queue/memory-queue.ts';
import { createQueue } from '../../src/otlp/queue/queue.ts';
import { createSender } from '../../src/otlp/sender.ts';
import { until } from '../support/until.ts';
import { retryAfter } from './retry-details.ts';

/** A request with a name, which goes alone. */
const request = (name: string): ExportRequest<string> => ({ kind: 'snapshot', data: name, bytes: 1 });

const emptyLease = { requests: [], ack: () => undefined, nack: () => undefined };

type Decision = 'ok' | 'unavailable' | 'throttled' | 'hang';
const throttleMs = 300;

const fails = (code: number, metadata = new Metadata()): ExportOutcome =>
  classifyResponse({ code, details: 'away', message: 'away', metadata });
const outcomes: Readonly<Record<Exclude<Decision, 'hang'>, ExportOutcome>> = {
  ok: { status: 'success' },
  unavailable: fails(status.UNAVAILABLE),
  throttled: fails(status.RESOURCE_EXHAUSTED, retryAfter(0, throttleMs * 1_000_000)),
};

/** What a Collector does to the sender, with each answer decided here, and each exporter counted. */
function setUp(decide: (name: string) => Decision) {
  const accepted: string[] = [];
  const tried: { readonly name: string; readonly exporter: number; readonly atMs: number }[] = [];
  let exporters = 0;
  function createExporter(): Exporter<string> {
    const exporter = ++exporters;
    return {
      async export(requests) {
        const [name = ''] = requests.map(({ data }) => data);
        tried.push({ name, exporter, atMs: performance.now() });
        const decided = decide(name);
        if (decided === 'hang') return new Promise(() => undefined);
        if (decided === 'ok') accepted.push(name);
        await new Promise((resolve) => setImmediate(resolve));
        return outcomes[decided];
      },
      shutdown: () => undefined,
    };
  }
  const queue = createQueue<ExportRequest<string>>({
    memory: createMemoryQueue({ requests: 100, bytes: 1_000, leaseBytes: 1 }),
    onOverflow: () => undefined,
  });
  const sender = createSender({
    queue,
    createExporter,
    canMerge: () => true,
    clock: systemClock,
    maxRetryMs: 20,
    random: Math.random,
    onExported: () => undefined,
  });
  const close = (ms: number) => sender.close(systemClock().monotonicMs + ms);
  return { accepted, tried, sender, close };
}

it('sends the oldest first', async () => {
  let away = true;
  const { accepted, tried, sender } = setUp(() => (away ? 'unavailable' : 'ok'));
  for (const name of ['1', '2', '3', '4']) sender.send(request(name));
  await until(() => tried.length > 3, 'some attempts');
  expect(new Set(tried.map(({ name }) => name))).toEqual(new Set(['1']));
  away = false;
  await until(() => accepted.length === 4, 'all of them');
  expect(accepted).toEqual(['1', '2', '3', '4']);
});

it('sends the newest first at the end', async () => {
  let away = true;
  const { accepted, tried, sender, close } = setUp(() => (away ? 'unavailable' : 'ok'));
  for (const name of ['1', '2', '3']) sender.send(request(name));
  await until(() => tried.length > 0, 'an attempt');
  away = false;
  expect(await close(5_000)).toBe(0);
  expect(
    accepted
      .slice(-2)
      .toSorted()
      .concat(accepted[0] ?? ''),
  ).toContain('3');
  expect(accepted.indexOf('3')).toBeLessThan(accepted.indexOf('2'));
});

it('tries again with an exporter of its own each time', async () => {
  const { tried, sender, close } = setUp(() => 'unavailable');
  sender.send(request('1'));
  await until(() => tried.length >= 4, 'four attempts');
  expect(tried.slice(0, 4).map(({ exporter }) => exporter)).toEqual([1, 2, 3, 4]);
  expect(await close(50)).toBe(1);
});

it('leaves a Collector alone for as long as it asks, and keeps the exporter', async () => {
  const { tried, accepted, sender } = setUp(() => (tried.length === 1 ? 'throttled' : 'ok'));
  sender.send(request('1'));
  await until(() => accepted.length === 1, 'the second attempt');
  const [first, second] = tried;
  // Timers of Node.js are up to a millisecond early.
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(throttleMs - 1);
  expect(second?.exporter).toBe(1);
});

it('tries at the end though it was asked to wait', async () => {
  const { tried, accepted, sender, close } = setUp(() => (tried.length === 1 ? 'throttled' : 'ok'));
  sender.send(request('1'));
  await until(() => tried.length === 1, 'an attempt');
  expect(await close(5_000)).toBe(0);
  expect(accepted).toEqual(['1']);
});

it('keeps an exporter that works', async () => {
  const { accepted, tried, sender } = setUp(() => 'ok');
  for (const name of ['1', '2', '3']) sender.send(request(name));
  await until(() => accepted.length === 3, 'all of them');
  expect(new Set(tried.map(({ exporter }) => exporter))).toEqual(new Set([1]));
});

it('gives up a request that hangs, and still sends what is newer', async () => {
  const { accepted, sender, close } = setUp((name) => (name === '1' ? 'hang' : 'ok'));
  sender.send(request('1'));
  sender.send(request('2'));
  expect(await close(400)).toBe(1);
  expect(accepted).toEqual(['2']);
});

it('sends at the end also what hangs, by another exporter', async () => {
  const { tried, accepted, sender, close } = setUp(() => (tried.length === 1 ? 'hang' : 'ok'));
  sender.send(request('1'));
  await until(() => tried.length === 1, 'the attempt that hangs');
  sender.send(request('2'));
  expect(await close(2_000)).toBe(0);
  expect(accepted).toEqual(['2', '1']);
  expect(tried.map(({ exporter }) => exporter)).toEqual([1, 2, 2]);
});

it('does not try without pause while nobody answers', async () => {
  const { tried, sender, close } = setUp(() => 'unavailable');
  sender.send(request('1'));
  await until(() => tried.length >= 2, 'a second attempt');
  const before = tried.length;
  // A turn of the event loop a hundred times over: without a pause there would be an attempt in each.
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(tried.length - before).toBeLessThan(20);
  await close(10);
});

it('does not ask a queue whose volume hangs again and again', async () => {
  let asked = 0;
  const sender = createSender<string>({
    queue: {
      push: () => undefined,
      size: 1,
      // After so many, the test could not fail any more: nothing else would run.
      lease: () => (++asked > 1_000 ? new Promise(() => undefined) : Promise.resolve(emptyLease)),
      flushed: async () => undefined,
    },
    createExporter: () => ({ export: async () => outcomes.ok, shutdown: () => undefined }),
    canMerge: () => true,
    clock: systemClock,
    maxRetryMs: 20,
    random: Math.random,
    onExported: () => undefined,
  });
  for (const name of ['1', '2']) {
    sender.send(request(name));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(asked).toBe(2);
  expect(await sender.close(systemClock().monotonicMs + 500)).toBe(1);
  expect(asked).toBeLessThan(10);
});
