import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api';
import { SamplingDecision } from '@opentelemetry/sdk-trace';
import { expect, onTestFinished, test } from 'vitest';
import { createSampler } from '../../src/tracing/sampler.ts';
import { parseSampler, type SamplerName } from '../../src/tracing/sampler-config.ts';
import { until } from '../support/until.ts';

/** A server of sampling strategies that answers with what it is told. */
async function strategies(first: unknown) {
  let answer = first;
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (answer === 'error') response.writeHead(500).end();
    else response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answer: (next: unknown) => {
      answer = next;
    },
  };
}

function remote(url: string) {
  const reading = parseSampler('jaeger_remote', `endpoint=${url},pollingIntervalMs=5,initialSamplingRate=0`);
  if (reading.status === 'invalid') throw new Error(reading.problem.message);
  const messages: string[] = [];
  const sampler = createSampler(reading.sampler, 'my service', (message) => messages.push(message));
  const keeps = (name = 'training.run', traceId = 'f'.repeat(32)) =>
    sampler.shouldSample(ROOT_CONTEXT, traceId, name, SpanKind.INTERNAL, {}, []).decision ===
    SamplingDecision.RECORD_AND_SAMPLED;
  return { keeps, messages };
}

const all = { strategyType: 'PROBABILISTIC', probabilisticSampling: { samplingRate: 1 } };

test('a remote sampler asks for its service, and does what is answered', async () => {
  const server = await strategies({ strategyType: 0, probabilisticSampling: {} });
  const { keeps, messages } = remote(server.url);
  expect(keeps()).toBe(false);
  await until(() => server.asked.length > 0, 'a request');
  expect(server.asked[0]).toBe('/sampling?service=my%20service');
  server.answer(all);
  await until(() => keeps(), 'the new strategy');
  server.answer({
    operationSampling: {
      defaultSamplingProbability: 0,
      perOperationStrategies: [{ operation: 'training.run', probabilisticSampling: { samplingRate: 1 } }],
    },
  });
  await until(() => !keeps('other'), 'the strategy by operation');
  expect(keeps('training.run')).toBe(true);
  expect(messages).toEqual([]);
});

test('a remote sampler keeps to so many traces a second', async () => {
  const server = await strategies({
    strategyType: 'RATE_LIMITING',
    rateLimitingSampling: { maxTracesPerSecond: 0.0001 },
  });
  const { keeps } = remote(server.url);
  await until(() => keeps(), 'the first trace');
  expect(keeps()).toBe(false);
});

test('a remote sampler keeps its last strategy where nobody answers, and says so once', async () => {
  const server = await strategies(all);
  const { keeps, messages } = remote(server.url);
  await until(() => keeps(), 'the strategy');
  for (const nonsense of ['error', {}, null, { probabilisticSampling: { samplingRate: 2 } }]) {
    server.answer(nonsense);
    const asked = server.asked.length;
    await until(() => server.asked.length > asked + 2, 'more requests');
    expect(keeps()).toBe(true);
  }
  expect(messages).toHaveLength(1);
  expect(messages[0]).toMatch(/^no sampling strategy from http:.* HTTP 500$/);
});

test.each<[SamplerName, string]>([
  ['traceidratio', '2'],
  ['parentbased_traceidratio', 'half'],
  ['traceidratio', '-0.1'],
  ['jaeger_remote', 'http://localhost:5778'],
  ['jaeger_remote', 'endpoint=localhost'],
  ['jaeger_remote', 'endpoint=http://user:secret@localhost:5778'],
  ['parentbased_jaeger_remote', 'pollingIntervalMs=0'],
  ['jaeger_remote', 'initialSamplingRate=2'],
])('%s does not take %s', (name, argument) => {
  const reading = parseSampler(name, argument);
  expect(reading).toMatchObject({ status: 'invalid', problem: { variable: 'OTEL_TRACES_SAMPLER_ARG' } });
  expect(JSON.stringify(reading)).not.toContain('secret');
});

test('samplers without an argument do not look at it', () => {
  expect(parseSampler('parentbased_always_off', 'whatever')).toEqual({
    status: 'ok',
    sampler: { parentBased: true, root: 'always_off' },
  });
});
