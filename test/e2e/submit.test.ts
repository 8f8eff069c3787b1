import { expect, it } from 'vitest';
import { standInKubectl, submit } from '../commands/submit/kubectl.ts';
import type { JaegerSpan } from './jaeger.ts';
import { startPlatform, train } from './platform.ts';
import { useTracingBackend } from './tracing-backend.ts';

const backend = useTracingBackend();

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

const job = `apiVersion: batch/v1
kind: Job
metadata: {name: tuning}
spec:
  template:
    spec:
      containers:
        - {name: trainer, image: train:1}
`;

it('a request to the platform is one trace down to the last epoch of the job it submits', async () => {
  const platform = await startPlatform({ collector: backend.collector.endpoint });
  const traceId = await platform.post('tuning', 'llama-3-8b');
  const parentsOf = {
    'POST /training/jobs': undefined,
    GET: 'POST /training/jobs',
    'GET /models/:name': 'GET',
    'pg.query:INSERT postgres': 'POST /training/jobs',
    'send training-jobs': 'POST /training/jobs',
    'redis-XADD': 'send training-jobs',
    'process training-jobs': 'send training-jobs',
    'trainer.submit_job': 'process training-jobs',
  };
  const names = Object.keys(parentsOf);
  const spans = await backend.jaeger.trace(traceId, names);
  const parents = Object.fromEntries(
    names.map((name) => [name, spans.find(({ spanId }) => spanId === named(spans, name).parentSpanId)?.name]),
  );
  expect(parents).toEqual(parentsOf);
  expect(named(spans, 'GET /models/:name').service).toBe('model-registry');
  expect(named(spans, 'POST /training/jobs').service).toBe('platform-api');
  expect(named(spans, 'process training-jobs').service).toBe('training-worker');
  const { spanId } = named(spans, 'trainer.submit_job');
  const header = platform.header();
  expect(header).toBe(`00-${traceId}-${spanId}-01`);

  await train({ collector: backend.collector.endpoint, header, jobId: 'tuning' });
  const whole = await backend.jaeger.trace(traceId, ['training.run', 'training.epoch']);
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
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: backend.collector.endpoint, JAEGER_URL: backend.jaeger.url },
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [, traceId = ''] = /^Trace: (\w+)$/m.exec(stdout) ?? [];
  expect(stdout).toContain(`${backend.jaeger.url}/trace/${traceId}\n`);
  await backend.jaeger.trace(traceId, ['trainer.submit_job']);
  for (const tags of [{ 'gen_ai.request.model': 'llama-3-8b-instruct' }, { 'kubeflow.job.name': 'tuning' }]) {
    const service = 'ml-metrics-bridge-submit';
    expect(await backend.jaeger.search({ service, tags: JSON.stringify(tags) })).toEqual([traceId]);
  }
});

it('a job that kubectl refuses is an error in its trace', async () => {
  const { code, stdout } = await submit({
    input: job,
    kubectl: standInKubectl(),
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: backend.collector.endpoint,
      EXITS: '1',
      COMPLAINS: 'forbidden',
    },
  });
  expect(code).toBe(1);
  const [, traceId = ''] = /^Trace: (\w+)$/m.exec(stdout) ?? [];
  const spans = await backend.jaeger.trace(traceId, ['trainer.submit_job']);
  expect(named(spans, 'trainer.submit_job').tags).toMatchObject({
    error: true,
    'otel.status_description': 'forbidden',
  });
});
