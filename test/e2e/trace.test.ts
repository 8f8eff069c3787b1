import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { startProcess } from '../support/process.ts';
import { type Collector, startCollector } from './collector.ts';
import { type Jaeger, startJaeger } from './jaeger.ts';

let jaeger: Jaeger;
let collector: Collector;
beforeAll(async () => {
  jaeger = await startJaeger();
  collector = await startCollector(jaeger.otlp);
}, 60_000);
afterAll(async () => {
  await collector?.stop();
  await jaeger?.stop();
});

const parentTrace = '0af7651916cd43dd8448eb211c80319c';
const parentSpan = 'b7ad6b7169203331';

async function startTraced(environment: Readonly<Record<string, string>> = {}) {
  const file = join(temporaryFolder(), 'current.json');
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.02',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
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
  return { bridge, write };
}

it('a run and its epochs are in Jaeger, below whoever submitted the job, each epoch when it ends', async () => {
  const { bridge, write } = await startTraced({ TRACEPARENT: `00-${parentTrace}-${parentSpan}-01` });
  write('in-a-trace', 1);
  await jaeger.trace(parentTrace, ['training.run.started']);
  write('in-a-trace', 2);
  const early = await jaeger.trace(parentTrace, ['training.epoch']);
  expect(early.map(({ name }) => name).sort()).toEqual(['training.epoch', 'training.run.started']);
  write('in-a-trace', 3, { status: 'completed' });
  const spans = await jaeger.trace(parentTrace, ['training.run']);
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

it('a run of nobody is found by the name of its job', async () => {
  const { bridge, write } = await startTraced();
  write('of-nobody', 1);
  const { traceId } = await bridge.said('Run is traced');
  await jaeger.trace(String(traceId), ['training.run.started']);
  const found = await jaeger.search({
    service: 'ml-metrics-bridge',
    tags: JSON.stringify({ 'training.job_id': 'of-nobody' }),
    start: String(Date.parse('2025-10-23T00:00:00Z') * 1000),
    end: String(Date.parse('2025-10-24T00:00:00Z') * 1000),
  });
  expect(found).toEqual([traceId]);
});
