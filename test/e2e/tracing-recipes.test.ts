import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { withPhase, withSpan } from '../../src/tracing/index.ts';
import { configureTracing } from '../../src/tracing/node.ts';
import { documentBlocks } from '../support/document-blocks.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';
import type { JaegerSpan } from './jaeger.ts';
import { startPlatform, train } from './platform.ts';
import { useTracingBackend } from './tracing-backend.ts';

const document = readFileSync(new URL('../../docs/tracing-recipes.md', import.meta.url), 'utf8');

const backend = useTracingBackend();

/** What the command of a recipe prints, as rows of columns. */
async function recipe(name: string, environment: Readonly<Record<string, string>> = {}) {
  const script = documentBlocks(document, name)
    .map((block) => block.script)
    .join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], {
    env: { ...process.env, JAEGER_URL: backend.jaeger.url, ...environment },
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

const durationOf = (spans: readonly JaegerSpan[], name: string): number =>
  spans.filter((span) => span.name === name).reduce((sum, { durationMs }) => sum + durationMs, 0);

/** A registry that passes requests on, those for one model after half a second. */
async function slowRegistry(registry: string, slowModel: string): Promise<string> {
  const server = createServer(async ({ url = '/', headers: { traceparent = '' } }, response) => {
    if (url.endsWith(slowModel)) await sleep(550);
    const answer = await fetch(registry + url, { headers: { traceparent: String(traceparent) } });
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('a slow request, and the part of it that is slow', async () => {
  const platform = await startPlatform({
    collector: backend.collector.endpoint,
    registryAt: (address) => slowRegistry(address, 'llama-3-8b'),
  });
  const fast = await platform.post('fast', 'resnet-50');
  const slow = await platform.post('slow', 'llama-3-8b');
  // On a busy machine, any request may be slow.
  const expected: string[] = [];
  for (const traceId of [fast, slow]) {
    const spans = await backend.jaeger.trace(traceId, ['POST /training/jobs', 'trainer.submit_job']);
    if (durationOf(spans, 'POST /training/jobs') >= 500) expected.push(traceId);
  }
  const found = await recipe('slow');
  expect(found.map(([traceId]) => traceId).toSorted()).toEqual(expected.toSorted());
  expect(expected).toContain(slow);
  const times = found.map(([, time]) => Number(time));
  expect(times).toEqual(times.toSorted((one, other) => other - one));
  const parts = await recipe('slow-part', { TRACE_ID: slow });
  expect(parts.map(([name]) => name).toSorted()).toEqual([
    'GET',
    'pg.query:INSERT postgres',
    'send training-jobs',
  ]);
  const partTimes = parts.map(([, time]) => Number(time));
  expect(partTimes).toEqual(partTimes.toSorted((one, other) => other - one));
  expect(Number(parts.find(([name]) => name === 'GET')?.[1])).toBeGreaterThanOrEqual(500);
});

it('the phases of a pipeline, in their order', async () => {
  const tracing = configureTracing({
    serviceName: 'training-pipeline',
    endpoint: backend.collector.endpoint,
  });
  const phases = ['data_preprocessing', 'model_training', 'model_evaluation'] as const;
  await withSpan('pipeline', {}, async () => {
    for (const phase of phases)
      await withPhase(phase, {}, () => sleep(phase === 'model_training' ? 300 : 10));
  });
  expect(await tracing.shutdown()).toEqual({ status: 'ok' });
  const found = await until(async () => {
    const rows = await recipe('phases');
    return rows.length > 0 && rows;
  }, 'the pipeline in Jaeger');
  expect(found.map(([, phase]) => phase)).toEqual(phases);
  expect(new Set(found.map(([traceId]) => traceId)).size).toBe(1);
  const seconds = Number(found[1]?.[2]);
  expect(seconds).toBeGreaterThanOrEqual(0.29);
  expect(seconds).toBeLessThan(10);
});

it('a job over several services', async () => {
  const platform = await startPlatform({ collector: backend.collector.endpoint });
  const traceId = await platform.post('tuning', 'llama-3-8b');
  await backend.jaeger.trace(traceId, ['POST /training/jobs', 'trainer.submit_job', 'GET /models/:name']);
  await train({ collector: backend.collector.endpoint, header: platform.header(), jobId: 'tuning' });
  await backend.jaeger.trace(traceId, ['training.run']);
  const spans = (await recipe('services')).map(([service, name]) => `${service} ${name}`);
  expect(spans[0]).toBe('platform-api POST /training/jobs');
  expect(spans).toEqual(
    expect.arrayContaining([
      'model-registry GET /models/:name',
      'platform-api send training-jobs',
      'training-worker process training-jobs',
      'training-worker trainer.submit_job',
      'ml-metrics-bridge training.run',
      'ml-metrics-bridge training.epoch',
    ]),
  );
  const tags = JSON.stringify({ 'kubeflow.job.name': 'tuning' });
  expect(await backend.jaeger.search({ service: 'training-worker', tags })).toEqual([traceId]);
});

it('errors of requests by their status code', async () => {
  const platform = await startPlatform({ collector: backend.collector.endpoint });
  const status = async (body: object) => {
    const response = await fetch(`${platform.api}/training/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.status;
  };
  expect(await status({ name: 'unknown-1', model: 'none' })).toBe(422);
  expect(await status({ name: 'unknown-2', model: 'none' })).toBe(422);
  expect(await status({ name: 'accepted', model: 'resnet-50' })).toBe(202);
  await platform.redis.stop();
  expect(await status({ name: 'not-queued', model: 'resnet-50' })).toBe(503);
  const withTag = (tag: Readonly<Record<string, string>>) =>
    backend.jaeger.search({ service: 'platform-api', tags: JSON.stringify(tag) });
  const errors = await until(async () => {
    const found = await recipe('errors');
    return found.some(([code]) => code === '503') && found;
  }, 'the last request in Jaeger');
  expect(errors).toEqual([
    ['422', '2'],
    ['503', '1'],
  ]);
  expect(await withTag({ 'http.response.status_code': '503' })).toHaveLength(1);
  expect(await withTag({ 'http.response.status_code': '422' })).toHaveLength(2);
});

it('a job that the cluster refused', async () => {
  const refusal = { EXITS: '1', COMPLAINS: 'jobs.batch is forbidden' };
  const platform = await startPlatform({ collector: backend.collector.endpoint, kubectl: refusal });
  const traceId = await platform.post('refused', 'resnet-50');
  await backend.jaeger.trace(traceId, ['trainer.submit_job']);
  const tags = JSON.stringify({ 'error.type': 'KubectlError' });
  expect(await backend.jaeger.search({ service: 'training-worker', tags })).toEqual([traceId]);
});

it('runs that failed, with the reason', async () => {
  const path = join(temporaryFolder(), 'current.json');
  const ends = {
    good: { status: 'completed' },
    broken: { status: 'failed', error: { type: 'RuntimeError', message: 'CUDA out of memory' } },
  };
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: path,
      COLLECTION_INTERVAL: '0.02',
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      OTEL_EXPORTER_OTLP_ENDPOINT: backend.collector.endpoint,
    },
  });
  for (const [jobId, top] of Object.entries(ends)) {
    const now = new Date().toISOString();
    const job = { job_id: jobId, start_time: now };
    replaceFile(path, exampleText({ job, top: { timestamp: now, ...top } }));
    const tags = JSON.stringify({ 'training.job_id': jobId });
    await until(
      async () =>
        (await backend.jaeger.search({ service: 'ml-metrics-bridge', operation: 'training.run', tags }))
          .length > 0,
      `the run ${jobId}`,
    );
  }
  bridge.child.kill('SIGTERM');
  await bridge.ended;
  expect(await recipe('failed-runs')).toEqual([['broken', 'RuntimeError']]);
  const tags = JSON.stringify({ 'training.run.state': 'failed' });
  expect(await backend.jaeger.search({ service: 'ml-metrics-bridge', tags })).toHaveLength(1);
});

it('two traces beside each other', async () => {
  const [FIRST, SECOND] = ['0af7651916cd43dd8448eb211c80a001', '0af7651916cd43dd8448eb211c80a002'] as const;
  const traceOf = async (traceId: string, epochs: number) => {
    const header = `00-${traceId}-b7ad6b7169203331-01`;
    await train({ collector: backend.collector.endpoint, header, jobId: 'compared', epochs });
    return backend.jaeger.trace(traceId, ['training.run']);
  };
  const [first, second] = [await traceOf(FIRST, 2), await traceOf(SECOND, 3)];
  const rows = await recipe('compare', { FIRST, SECOND });
  expect(rows.map(([name]) => name)).toEqual(['training.epoch', 'training.run', 'training.run.started']);
  for (const [name = '', ...columns] of rows) {
    const expected = [first, second].flatMap((spans) => [
      spans.filter((span) => span.name === name).length,
      expect.closeTo(durationOf(spans, name)),
    ]);
    expect(columns.map(Number)).toEqual(expected);
  }
  expect(rows[0]?.[1]).toBe('2');
  expect(rows[0]?.[3]).toBe('3');
});
