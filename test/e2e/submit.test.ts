import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { standInKubectl, submit } from '../commands/submit/kubectl.ts';
import { temporaryFolder } from '../support/file.ts';
import { freePort } from '../support/port.ts';
import { startProcess } from '../support/process.ts';
import { type Collector, startCollector } from './collector.ts';
import { type Jaeger, type JaegerSpan, startJaeger } from './jaeger.ts';
import { answers, startProgram } from './program.ts';

const example = fileURLToPath(new URL('../../examples/platform-api/', import.meta.url));

let jaeger: Jaeger;
let collector: Collector;
beforeAll(async () => {
  if (!existsSync(`${example}node_modules`))
    throw new Error('examples/platform-api is not installed: npm run example');
  jaeger = await startJaeger();
  collector = await startCollector(jaeger.otlp);
}, 60_000);
afterAll(async () => {
  await collector?.stop();
  await jaeger?.stop();
});

const named = (spans: readonly JaegerSpan[], name: string): JaegerSpan => {
  const [span, ...others] = spans.filter((it) => it.name === name);
  if (span === undefined || others.length > 0) throw new Error(`${others.length + 1} spans ${name}, not 1`);
  return span;
};

/**
 * Spans whose parent Jaeger has not got. It also warns where the clocks of two processes differ, which is nobody's fault,
 * and of spans without length.
 */
const lost = (spans: readonly JaegerSpan[]) =>
  spans.filter(({ warnings }) => warnings.some((warning) => warning.includes('invalid parent')));

/** A part of the example as its README starts it. */
async function startPart(main: string, ready: string, environment: Readonly<Record<string, string>>) {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const part = await startProgram({
    program: process.execPath,
    args: ['--import', './src/instrumentation.ts', main],
    folder: example,
    environment: {
      PORT: String(port),
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      ...environment,
    },
    isReady: () => answers(address + ready),
  });
  onTestFinished(part.stop);
  return address;
}

async function startDatabase(): Promise<string> {
  const port = await freePort();
  const database = await startProgram({
    program: 'node_modules/.bin/pglite-server',
    args: ['--db=memory://', `--port=${port}`, '--max-connections=10'],
    folder: example,
    isReady: async (said) => said.includes('listening'),
  });
  onTestFinished(database.stop);
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

const job = `apiVersion: batch/v1
kind: Job
metadata: {name: tuning}
spec:
  template:
    spec:
      containers:
        - {name: trainer, image: train:1}
`;

/** The header that a submitted Job's pods find in their annotations. */
const headerIn = (manifest: string): string =>
  parse(manifest).spec.template.metadata.annotations['opentelemetry.io/traceparent'];

/** The job, simulated, with the bridge beside it as in a pod with this header. */
async function train(header: string): Promise<void> {
  const METRICS_FILE_PATH = join(temporaryFolder(), 'current.json');
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH,
      COLLECTION_INTERVAL: '0.02',
      TRACEPARENT: header,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    },
  });
  const trainer = startProcess({
    args: ['simulate'],
    environment: {
      METRICS_FILE_PATH,
      JOB_ID: 'tuning',
      TOTAL_EPOCHS: '3',
      BATCHES_PER_EPOCH: '4',
      WRITE_INTERVAL: '0.1',
    },
  });
  expect(await trainer.ended).toMatchObject({ code: 0 });
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended, bridge.stderr()).toMatchObject({ code: 0 });
}

it('a request to the platform is one trace down to the last epoch of the job it submits', async () => {
  const kubectl = standInKubectl();
  const [database, registry] = await Promise.all([
    startDatabase(),
    startPart('src/registry-main.ts', '/healthz', { OTEL_SERVICE_NAME: 'model-registry' }),
  ]);
  const api = await startPart('src/main.ts', '/readyz', {
    DATABASE_URL: database,
    MODEL_REGISTRY_URL: registry,
    PATH: `${kubectl.folder}:${process.env.PATH}`,
    STAND_IN: kubectl.folder,
  });
  const response = await fetch(`${api}/training/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'tuning', model: 'llama-3-8b' }),
  });
  expect(response.status).toBe(201);
  const { traceId } = (await response.json()) as { traceId: string };
  const names = [
    'POST /training/jobs',
    'GET',
    'GET /models/:name',
    'pg.query:INSERT postgres',
    'trainer.submit_job',
  ];
  const spans = await jaeger.trace(traceId, names);
  const request = named(spans, 'POST /training/jobs');
  const parents = Object.fromEntries(
    names.map((name) => [name, spans.find(({ spanId }) => spanId === named(spans, name).parentSpanId)?.name]),
  );
  expect(parents).toEqual({
    'POST /training/jobs': undefined,
    GET: 'POST /training/jobs',
    'GET /models/:name': 'GET',
    'pg.query:INSERT postgres': 'POST /training/jobs',
    'trainer.submit_job': 'POST /training/jobs',
  });
  expect(named(spans, 'GET /models/:name').service).toBe('model-registry');
  expect(request.service).toBe('platform-api');
  const { spanId } = named(spans, 'trainer.submit_job');
  const header = headerIn(kubectl.manifest());
  expect(header).toBe(`00-${traceId}-${spanId}-01`);

  await train(header);
  const whole = await jaeger.trace(traceId, ['training.run', 'training.epoch']);
  const run = named(whole, 'training.run');
  expect(run.parentSpanId).toBe(spanId);
  const epochs = whole.filter(({ name }) => name === 'training.epoch');
  expect(epochs.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(3).fill(run.spanId));
  expect(new Set(epochs.map((epoch) => epoch.spanId)).size).toBe(3);
  expect(lost(whole)).toEqual([]);
});

it('a job from the command line is found by the link, the service, the model and its name', async () => {
  const { code, stdout, stderr } = await submit({
    args: ['--model', 'llama-3-8b-instruct'],
    input: job,
    kubectl: standInKubectl(),
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, JAEGER_URL: jaeger.url },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [, traceId = ''] = /^Trace: (\w+)$/m.exec(stdout) ?? [];
  expect(stdout).toContain(`${jaeger.url}/trace/${traceId}\n`);
  await jaeger.trace(traceId, ['trainer.submit_job']);
  for (const tags of [{ 'gen_ai.request.model': 'llama-3-8b-instruct' }, { 'kubeflow.job.name': 'tuning' }]) {
    const service = 'ml-metrics-bridge-submit';
    expect(await jaeger.search({ service, tags: JSON.stringify(tags) })).toEqual([traceId]);
  }
});

it('a job that kubectl refuses is an error in its trace', async () => {
  const { code, stdout } = await submit({
    input: job,
    kubectl: standInKubectl(),
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, EXITS: '1', COMPLAINS: 'forbidden' },
  });
  expect(code).toBe(1);
  const [, traceId = ''] = /^Trace: (\w+)$/m.exec(stdout) ?? [];
  const spans = await jaeger.trace(traceId, ['trainer.submit_job']);
  expect(named(spans, 'trainer.submit_job').tags).toMatchObject({
    error: true,
    'otel.status_description': 'forbidden',
  });
});
