import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';
import { useTracingBackend } from './tracing-backend.ts';

const backend = useTracingBackend();

const parentTrace = '0af7651916cd43dd8448eb211c80319c';
const parentSpan = 'b7ad6b7169203331';

async function startTraced(
  environment: Readonly<Record<string, string>> = {},
  file = join(temporaryFolder(), 'current.json'),
) {
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.02',
      OTEL_EXPORTER_OTLP_ENDPOINT: backend.collector.endpoint,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_BSP_SCHEDULE_DELAY: '50',
      ...environment,
    },
  });
  const write = (jobId: string, epoch: number, top: Readonly<Record<string, unknown>> = {}) =>
    replaceFile(
      file,
      exampleText({
        job: { job_id: jobId },
        metrics: { epoch, batch_number: 1 },
        top: { timestamp: `2025-10-23T10:${15 + epoch}:00Z`, ...top },
      }),
    );
  return { bridge, write, file };
}

it('a run and its epochs are in Jaeger, below whoever submitted the job, each epoch when it ends', async () => {
  const { bridge, write } = await startTraced({ TRACEPARENT: `00-${parentTrace}-${parentSpan}-01` });
  write('in-a-trace', 1);
  await backend.jaeger.trace(parentTrace, ['training.run.started']);
  write('in-a-trace', 2);
  const early = await backend.jaeger.trace(parentTrace, ['training.epoch']);
  expect(early.map(({ name }) => name).sort()).toEqual(['training.epoch', 'training.run.started']);
  write('in-a-trace', 3, { status: 'completed' });
  const spans = await backend.jaeger.trace(parentTrace, ['training.run']);
  bridge.child.kill('SIGTERM');
  await bridge.ended;

  const run = spans.find(({ name }) => name === 'training.run');
  expect(run).toMatchObject({
    parentSpanId: parentSpan,
    service: 'ml-metrics-bridge',
    startMs: Date.parse('2025-10-23T10:15:00Z'),
    durationMs: 3 * 60_000,
    tags: { 'training.run.state': 'completed', 'gen_ai.request.model': 'resnet-50' },
  });
  const epochs = spans.filter(({ name }) => name === 'training.epoch');
  expect(epochs.map(({ tags }) => tags['training.epoch']).sort()).toEqual([1, 2, 3]);
  expect(epochs.every(({ parentSpanId }) => parentSpanId === run?.spanId)).toBe(true);
});

it('a bridge that is stopped in the middle of an epoch and started anew is one trace, without a repeated span', async () => {
  const context = {
    TRACEPARENT: '00-0af7651916cd43dd8448eb211c803190-b7ad6b7169203331-01',
    EXPORT_QUEUE_DIR: temporaryFolder(),
  };
  const first = await startTraced(context);
  first.write('restarted', 1);
  await first.bridge.said('Run is traced');
  first.bridge.child.kill('SIGTERM');
  await first.bridge.ended;
  const second = await startTraced(context, first.file);
  const { traceId } = await second.bridge.said('Run is traced');
  first.write('restarted', 2, { status: 'completed' });
  const spans = await until(async () => {
    const all = await backend.jaeger.trace(String(traceId), ['training.run']);
    return all.filter(({ name }) => name === 'training.run').length === 2 && all;
  }, 'both runs');
  second.bridge.child.kill('SIGTERM');
  await second.bridge.ended;

  expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  const duplicates = spans.flatMap(({ warnings }) => warnings).filter((text) => /duplicate/i.test(text));
  expect(duplicates).toEqual([]);
  const whole = spans.find(({ tags }) => tags['training.run.state'] === 'completed');
  expect(whole?.tags['training.run.partial']).toBe(true);
  const names = spans.filter(({ parentSpanId }) => parentSpanId === whole?.spanId).map(({ name }) => name);
  expect(names.toSorted()).toEqual(['training.epoch', 'training.epoch', 'training.run.started']);
});

/** What Jaeger's search finds of a service within days of the file's times. */
const found = (more: Readonly<Record<string, string>>) =>
  backend.jaeger.search({
    service: 'ml-metrics-bridge',
    start: String(Date.parse('2025-10-20T00:00:00Z') * 1000),
    end: String(Date.parse('2025-10-30T00:00:00Z') * 1000),
    ...more,
  });

it('a run of nobody is found by its job and by its model, and is marked where it failed', async () => {
  const { bridge, write } = await startTraced();
  write('of-nobody', 1);
  const { traceId } = await bridge.said('Run is traced');
  await backend.jaeger.trace(String(traceId), ['training.run.started']);
  expect(await found({ tags: JSON.stringify({ 'training.job_id': 'of-nobody' }) })).toEqual([traceId]);
  write('of-nobody', 2, {
    status: 'failed',
    error: { type: 'RuntimeError', message: 'CUDA out of memory' },
  });
  const spans = await backend.jaeger.trace(String(traceId), ['training.run']);
  const run = spans.find(({ name }) => name === 'training.run');
  expect(run?.tags).toMatchObject({ error: true, 'error.type': 'RuntimeError' });
  const model = { 'gen_ai.request.model': 'resnet-50' };
  expect(await found({ tags: JSON.stringify(model) })).toContain(traceId);
  expect(await found({ tags: JSON.stringify({ 'error.type': 'RuntimeError' }) })).toEqual([traceId]);
});

it('a run of three days is found by a look-back longer than it, and by a late epoch', async () => {
  const { bridge, write } = await startTraced();
  const day = (days: number) => ({
    timestamp: new Date(Date.parse('2025-10-23T10:15:00Z') + days * 86_400_000).toISOString(),
  });
  for (const days of [1, 2, 3]) {
    write('of-days', days, { ...day(days), ...(days === 3 && { status: 'completed' }) });
    const { traceId } = await bridge.said('Run is traced');
    // Each has to be read before the next one takes its place.
    await until(async () => {
      const spans = await backend.jaeger.trace(String(traceId), ['training.run.started']);
      return spans.filter(({ name }) => name === 'training.epoch').length >= days - 1;
    }, `day ${days}`);
  }
  const { traceId } = await bridge.said('Run is traced');
  const spans = await backend.jaeger.trace(String(traceId), ['training.run']);
  expect(spans.find(({ name }) => name === 'training.run')?.durationMs).toBe(3 * 86_400_000);
  const tags = JSON.stringify({ 'training.job_id': 'of-days' });
  expect(await found({ operation: 'training.run', tags })).toEqual([traceId]);
  const lastDay = String(Date.parse('2025-10-25T00:00:00Z') * 1000);
  expect(await found({ start: lastDay, tags })).toEqual([traceId]);
});
