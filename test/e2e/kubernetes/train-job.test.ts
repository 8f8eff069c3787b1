import { beforeAll, describe, expect, it } from 'vitest';
import { commandLine } from '../../support/terminal.ts';
import { until } from '../../support/until.ts';
import { jaegerApi } from '../jaeger.ts';
import { forget, forwarded, namespace, query, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { submitted } from './submitted.ts';
import { resource, runtimeWithInitializer, trainingRuntime } from './training.ts';

beforeAll(async () => {
  await startStack();
  await until(spansArrive, 'spans to arrive in Jaeger', 60_000);
});

/** The Service of Jaeger is in force a moment after its pod is ready. Until then the Collector rejects spans. */
async function spansArrive(): Promise<boolean> {
  const name = 'spans-arrive';
  await forget('job', name);
  const containers = [{ name: 'none', image: 'ml-metrics-bridge:latest' }];
  const spec = { suspend: true, template: { spec: { restartPolicy: 'Never', containers } } };
  const { stderr } = await submitted(JSON.stringify(resource('batch/v1', 'Job', name, spec)));
  return !stderr.includes('spans are lost');
}

/** A runtime with the bridge, and a TrainJob that uses it. */
async function setUp(name: string, replicatedJob: string, runtimeOf = trainingRuntime): Promise<string> {
  await forget('trainjob', name);
  await forget('trainingruntime', name);
  await apply(await inject(JSON.stringify(runtimeOf(name, name, replicatedJob))));
  const runtimeRef = { kind: 'TrainingRuntime', name };
  return JSON.stringify(resource('trainer.kubeflow.org/v1alpha1', 'TrainJob', name, { runtimeRef }));
}

const completes = (name: string) =>
  kubectl('-n', namespace, 'wait', '--for=condition=Complete', `trainjob/${name}`, '--timeout=120s');

/** Both nodes have written all of their 20 snapshots. */
async function expectFinalValues(name: string): Promise<void> {
  const expression = `last_over_time(ml_training_batch_number_total{job_id="${name}"}[15m]) == 20`;
  const ranks = async () => (await query(expression)).map(({ labels }) => labels.rank).toSorted();
  await until(async () => (await ranks()).length === 2, `the last values of ${name}`, 40_000);
  expect(await ranks()).toEqual(['0', '1']);
}

/** The runs of both nodes are children of the span. An epoch that is shorter than a poll has no span. */
async function expectRuns(traceId: string, parentSpanId: string): Promise<void> {
  await forwarded('jaeger', 16686, (url) =>
    until(async () => {
      const spans = await jaegerApi(url).trace(traceId, ['training.run', 'training.epoch']);
      const runs = spans.filter(({ name }) => name === 'training.run');
      const epochs = spans.filter(({ name }) => name === 'training.epoch');
      expect(runs.map((run) => run.parentSpanId)).toEqual(runs.map(() => parentSpanId));
      const withEpoch = runs.filter(({ spanId }) => epochs.some((it) => it.parentSpanId === spanId));
      return withEpoch.length === 2;
    }, `two runs in the trace ${traceId}`),
  );
}

describe('a TrainJob in the trace of its submission', () => {
  it.each([
    ['node', 'submitted-node'],
    ['workers', 'submitted-workers'],
  ])('completes where the runtime calls its replicated job %s', async (replicatedJob, name) => {
    const manifest = await setUp(name, replicatedJob);
    const { code, stdout, stderr } = await submitted(manifest);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const traceId = /^Trace: (\w+)$/m.exec(stdout)?.[1] ?? '';
    await completes(name);
    await expectFinalValues(name);
    const spans = await forwarded('jaeger', 16686, (url) =>
      jaegerApi(url).trace(traceId, ['trainer.submit_job']),
    );
    const submission = spans.find(({ name }) => name === 'trainer.submit_job');
    await expectRuns(traceId, submission?.spanId ?? '');
  });

  it('is created without a patch, with a note, where its runtime has no bridge', async () => {
    const name = 'submitted-plain';
    const manifest = await setUp(name, 'node');
    await forget('trainingruntime', name);
    await apply(JSON.stringify(trainingRuntime(name, name, 'node')));
    const { code, stderr } = await submitted(manifest);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining('has no bridge') });
    const get = ['-n', namespace, 'get', 'trainjob', name, '-o', 'jsonpath={.spec.runtimePatches}'];
    expect(await kubectl(...get)).toBe('');
  });
});

const spanId = 'b7ad6b7169203331';

/** `inject` with a trace that no other test uses. */
async function injectTrace(manifest: string, ...options: readonly string[]) {
  const traceId = Date.now().toString(16).padStart(32, 'a');
  const { code, text, errors } = await commandLine(['inject', '--trace', ...options], {
    input: manifest,
    environment: { TRACEPARENT: `00-${traceId}-${spanId}-01` },
  });
  expect(code, errors).toBe(0);
  return { traceId, text };
}

it('a TrainJob to which inject --trace has added a trace completes, and its runs are in that trace', async () => {
  const name = 'injected-trace';
  const { traceId, text } = await injectTrace(await setUp(name, 'node'));
  await apply(text);
  await completes(name);
  await expectFinalValues(name);
  await expectRuns(traceId, spanId);
});

describe('a TrainJob whose runtime has an initializer and a replicated job "workers"', () => {
  const patches = ['--trainjob-status', '--replicated-job'];
  const fields = (path: string, ...selector: readonly string[]) =>
    kubectl('-n', namespace, 'get', ...selector, '-o', `jsonpath=${path}`);

  it('completes with inject --replicated-job workers, and only the pods of "workers" have the bridge', async () => {
    const name = 'injected-workers';
    const manifest = await setUp(name, 'workers', runtimeWithInitializer);
    const { traceId, text } = await injectTrace(manifest, ...patches, 'workers');
    await apply(text);
    await completes(name);
    await expectFinalValues(name);
    await expectRuns(traceId, spanId);
    const path =
      '{range .items[*]}{.metadata.labels.jobset\\.sigs\\.k8s\\.io/replicatedjob-name}: {.spec.initContainers[*].name}{"\\n"}{end}';
    const pods = await fields(path, 'pod', '-l', `jobset.sigs.k8s.io/jobset-name=${name}`);
    expect(pods.trimEnd().split('\n').toSorted()).toEqual([
      'dataset-initializer: ',
      'workers: otel-metrics-bridge',
      'workers: otel-metrics-bridge',
    ]);
  });

  it('is not created by submit with the name of a replicated job that does not exist', async () => {
    const name = 'injected-wrong';
    const manifest = await setUp(name, 'workers', runtimeWithInitializer);
    const { text } = await injectTrace(manifest, ...patches, 'node');
    const { code, stderr } = await submitted(text);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        '"node", which does not exist in the runtime (the bridge is in workers)',
      ),
    });
    expect(await fields('{.items[*].metadata.name}', 'trainjob')).not.toContain(name);
  });
});
