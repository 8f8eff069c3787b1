import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PostedStatus } from '../../support/status-server.ts';
import { commandLine } from '../../support/terminal.ts';
import { until } from '../../support/until.ts';
import { forget, namespace, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { setStatusGate } from './status-gate.ts';
import { resource, trainingRuntime } from './training.ts';

let gateBefore: 'on' | 'off';

beforeAll(async () => {
  gateBefore = await setStatusGate('on');
  await startStack('k8s/', ['otel-collector']);
});
afterAll(async () => {
  await setStatusGate(gateBefore);
});

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** A TrainJob that posts its status and is in a trace: each of the two is a patch of its own. It writes 20 snapshots. */
async function createTrainJob(name: string, writeInterval: string): Promise<void> {
  await forget('trainjob', name);
  await forget('trainingruntime', name);
  await apply(await inject(JSON.stringify(trainingRuntime(name, name, 'node'))));
  const job = resource('trainer.kubeflow.org/v1alpha1', 'TrainJob', name, {
    runtimeRef: { kind: 'TrainingRuntime', name },
    trainer: { env: [{ name: 'WRITE_INTERVAL', value: writeInterval }] },
  });
  const { code, text, errors } = await commandLine(['inject', '--trainjob-status', '--trace'], {
    input: JSON.stringify(job),
    environment: { TRACEPARENT: traceparent },
  });
  expect(code, errors).toBe(0);
  await apply(text);
}

const field = (kind: string, name: string, path: string) =>
  kubectl('-n', namespace, 'get', kind, name, '-o', `jsonpath={${path}}`);

async function statusOf(name: string): Promise<PostedStatus | undefined> {
  const text = await field('trainjob', name, '.status.trainerStatus');
  return text === '' ? undefined : JSON.parse(text);
}

const metricsOf = (status: PostedStatus | undefined) =>
  Object.fromEntries((status?.metrics ?? []).map(({ name, value }) => [name, value]));

const podsOf = (name: string) => ['-l', `jobset.sigs.k8s.io/jobset-name=${name}`];

const completes = (name: string) =>
  kubectl('-n', namespace, 'wait', '--for=condition=Complete', `trainjob/${name}`, '--timeout=120s');

describe('the status of a TrainJob', () => {
  it('has progress and metrics while the training runs, and the end after it', async () => {
    const name = 'status-on';
    await createTrainJob(name, '1.2');
    const first = await until(() => statusOf(name), 'a status', 60_000);
    expect(metricsOf(first)).toMatchObject({ state: 'running', training_loss: expect.any(String) });
    expect(first.progressPercentage).toBeLessThan(100);
    const annotation = '{.items[*].metadata.annotations.opentelemetry\\.io/traceparent}';
    const get = ['get', 'pod', ...podsOf(name), '-o', `jsonpath=${annotation}`];
    const annotations = await kubectl('-n', namespace, ...get);
    expect(annotations.split(' ')).toEqual([traceparent, traceparent]);
    await completes(name);
    const last = await statusOf(name);
    expect(last).toMatchObject({ progressPercentage: 100, estimatedRemainingSeconds: 0 });
    expect(metricsOf(last)).toMatchObject({ state: 'completed', epoch: '2', batch_number: '10' });
  });

  it('stays empty where the feature gate is off; the TrainJob runs all the same, and the log says why', async () => {
    const name = 'status-off';
    await setStatusGate('off');
    await createTrainJob(name, '0.2');
    await completes(name);
    expect(await statusOf(name)).toBeUndefined();
    const logs = await kubectl('-n', namespace, 'logs', ...podsOf(name), '-c', 'otel-metrics-bridge');
    expect(logs).toContain('The feature gate TrainJobStatus of Kubeflow Trainer is probably off');
    expect(logs).toContain('"undelivered":0');
  });
});
