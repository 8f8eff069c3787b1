import { ExportResultCode } from '@opentelemetry/core';
import { emptyResource } from '@opentelemetry/resources';
import type { PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { type Collection, createBacklog } from '../../src/otlp/backlog.ts';
import { createSender } from '../../src/otlp/sender.ts';
import { until } from '../support/until.ts';

/** A collection that is told by its scope's name. One byte is the limit of a request, so each goes alone. */
const collection = (name: string): Collection => ({
  kind: 'snapshot',
  metrics: { resource: emptyResource(), scopeMetrics: [{ scope: { name }, metrics: [] }] },
});
const nameOf = (metrics: ResourceMetrics) => metrics.scopeMetrics[0]?.scope.name ?? '';

type Answer = 'ok' | 'unavailable' | 'hang';

/** What a Collector does to the sender, with each answer decided here, and each connection counted. */
function setUp(answer: (name: string) => Answer) {
  const accepted: string[] = [];
  const tried: { readonly name: string; readonly connection: number }[] = [];
  let connections = 0;
  const connect = (): PushMetricExporter => {
    const connection = ++connections;
    return {
      export(metrics, done) {
        const name = nameOf(metrics);
        tried.push({ name, connection });
        const decided = answer(name);
        if (decided === 'hang') return;
        if (decided === 'ok') accepted.push(name);
        const error = Object.assign(new Error('away'), { code: 14 });
        setImmediate(() =>
          done(
            decided === 'ok' ? { code: ExportResultCode.SUCCESS } : { code: ExportResultCode.FAILED, error },
          ),
        );
      },
      forceFlush: async () => undefined,
      shutdown: async () => undefined,
    };
  };
  const backlog = createBacklog(100, 1);
  const sender = createSender({
    backlog,
    connect,
    clock: systemClock,
    maxRetryMs: 20,
    onAttempt: () => undefined,
    onOverflow: () => undefined,
  });
  const close = (ms: number) => sender.close(systemClock().uptimeMs + ms);
  return { accepted, tried, sender, close };
}

it('sends the oldest first', async () => {
  let away = true;
  const { accepted, tried, sender } = setUp(() => (away ? 'unavailable' : 'ok'));
  for (const name of ['1', '2', '3', '4']) sender.send(collection(name));
  await until(() => tried.length > 3, 'some attempts');
  expect(new Set(tried.map(({ name }) => name))).toEqual(new Set(['1']));
  away = false;
  await until(() => accepted.length === 4, 'all of them');
  expect(accepted).toEqual(['1', '2', '3', '4']);
});

it('sends the newest first at the end', async () => {
  let away = true;
  const { accepted, tried, sender, close } = setUp(() => (away ? 'unavailable' : 'ok'));
  for (const name of ['1', '2', '3']) sender.send(collection(name));
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

it('tries again on a connection of its own each time', async () => {
  const { tried, sender, close } = setUp(() => 'unavailable');
  sender.send(collection('1'));
  await until(() => tried.length >= 4, 'four attempts');
  expect(tried.slice(0, 4).map(({ connection }) => connection)).toEqual([1, 2, 3, 4]);
  expect(await close(50)).toBe(1);
});

it('keeps a connection that works', async () => {
  const { accepted, tried, sender } = setUp(() => 'ok');
  for (const name of ['1', '2', '3']) sender.send(collection(name));
  await until(() => accepted.length === 3, 'all of them');
  expect(new Set(tried.map(({ connection }) => connection))).toEqual(new Set([1]));
});

it('gives up a request that hangs, and still sends what is newer', async () => {
  const { accepted, sender, close } = setUp((name) => (name === '1' ? 'hang' : 'ok'));
  sender.send(collection('1'));
  sender.send(collection('2'));
  expect(await close(400)).toBe(1);
  expect(accepted).toEqual(['2']);
});

it('does not try without pause while nobody answers', async () => {
  const { tried, sender, close } = setUp(() => 'unavailable');
  sender.send(collection('1'));
  await until(() => tried.length >= 2, 'a second attempt');
  const before = tried.length;
  // A turn of the event loop a hundred times over: without a pause there would be an attempt in each.
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(tried.length - before).toBeLessThan(20);
  await close(10);
});
