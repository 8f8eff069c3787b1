import { beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { forget, namespace, query, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { resource, templateOf, trainingRuntime } from './training.ts';

beforeAll(() => startStack());

const jobSpec = (name: string, pods: number) => ({
  backoffLimit: 0,
  completions: pods,
  parallelism: pods,
  ...(pods > 1 ? { completionMode: 'Indexed' } : {}),
  template: templateOf(name),
});

/** Injects a resource, creates it, and waits until a condition of it is true. */
async function runs(manifest: ReturnType<typeof resource>, condition: string): Promise<void> {
  const { kind, metadata } = manifest;
  await forget(kind, metadata.name);
  await apply(await inject(JSON.stringify(manifest)));
  await kubectl(
    '-n',
    namespace,
    'wait',
    `--for=condition=${condition}`,
    `${kind}/${metadata.name}`,
    '--timeout=120s',
  );
}

/** The ranks of a job whose last value Prometheus has seen: each of the 20 snapshots counted. */
async function ranksInPrometheus(jobId: string): Promise<readonly (string | undefined)[]> {
  const samples = await query(`last_over_time(ml_training_batch_number_total{job_id="${jobId}"}[15m])`);
  return samples
    .filter(({ value }) => value === 20)
    .map(({ labels }) => labels.rank)
    .toSorted();
}

async function expectRanks(jobId: string, ranks: readonly (string | undefined)[]): Promise<void> {
  const arrived = async () => (await ranksInPrometheus(jobId)).length === ranks.length;
  await until(arrived, `the last values of ${ranks.length} ranks of ${jobId}`, 40_000);
  expect(await ranksInPrometheus(jobId)).toEqual(ranks);
}

it.concurrent('a Job has no rank', async () => {
  await runs(resource('batch/v1', 'Job', 'plain', jobSpec('plain', 1)), 'Complete');
  await expectRanks('plain', [undefined]);
});

it.concurrent('the pods of an indexed Job have their completion indices for ranks', async () => {
  await runs(resource('batch/v1', 'Job', 'indexed', jobSpec('indexed', 2)), 'Complete');
  await expectRanks('indexed', ['0', '1']);
});

describe('a JobSet', () => {
  const jobSet = (name: string, replicas: number, pods: number) =>
    resource('jobset.x-k8s.io/v1alpha2', 'JobSet', name, {
      replicatedJobs: [{ name: 'workers', replicas, template: { spec: jobSpec(name, pods) } }],
    });

  it.concurrent('of one Job has its completion indices for ranks', async () => {
    await runs(jobSet('one-job', 1, 2), 'Completed');
    await expectRanks('one-job', ['0', '1']);
  });

  it.concurrent('of Jobs of one pod has their indices for ranks', async () => {
    await runs(jobSet('two-jobs', 2, 1), 'Completed');
    await expectRanks('two-jobs', ['0', '1']);
  });
});

describe('a TrainJob', () => {
  it.concurrent('has the ranks of its nodes, by the bridge in its runtime', async () => {
    const name = 'train-job';
    await forget('trainjob', name);
    await forget('trainingruntime', 'simulated');
    await apply(await inject(JSON.stringify(trainingRuntime('simulated', name, 'node'))));
    const runtimeRef = { kind: 'TrainingRuntime', name: 'simulated' };
    await runs(resource('trainer.kubeflow.org/v1alpha1', 'TrainJob', name, { runtimeRef }), 'Complete');
    await expectRanks(name, ['0', '1']);
  });
});
