import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PostedStatus } from '../../support/status-server.ts';
import { until } from '../../support/until.ts';
import { forget, namespace, query, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { type FleetResult, fleetPod } from './status-fleet.ts';
import { setStatusGate } from './status-gate.ts';
import { resource, trainingRuntime } from './training.ts';

const runtime = 'status-load';
const trainJobs = Array.from({ length: 40 }, (_, index) => `${runtime}-${index}`);

let gateBefore: 'on' | 'off';

beforeAll(async () => {
  gateBefore = await setStatusGate('on');
  await startStack('k8s/', ['otel-collector', 'prometheus']);
  await forget('trainjob', '--all');
});
afterAll(async () => {
  await forget('trainjob', '--all');
  await setStatusGate(gateBefore);
});

/** TrainJobs that are suspended: they have a status, and no pods. */
async function createTrainJobs(): Promise<void> {
  const spec = { suspend: true, runtimeRef: { kind: 'TrainingRuntime', name: runtime } };
  const jobs = trainJobs.map((name) => resource('trainer.kubeflow.org/v1alpha1', 'TrainJob', name, spec));
  await apply(JSON.stringify(trainingRuntime(runtime, runtime, 'node')));
  await apply(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: jobs }));
}

/** A status that the cluster has accepted. Times are in Unix seconds. */
interface Accepted {
  readonly name: string;
  /** When the bridge posted it, rounded down. */
  readonly posted: number;
  readonly seen: number;
}

/** Collects every status that is accepted, until it is told to stop. */
function watchStatuses() {
  const accepted: Accepted[] = [];
  const path = '{.metadata.name} {.status.trainerStatus.lastUpdatedTime}{"\\n"}';
  const args = ['-n', namespace, 'get', 'trainjob', '--watch-only', '-o', `jsonpath=${path}`];
  const watch = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  createInterface(watch.stdout).on('line', (line) => {
    const [name = '', time] = line.split(' ');
    if (!time) return;
    const posted = Date.parse(time) / 1000;
    if (!accepted.some((it) => it.name === name && it.posted === posted))
      accepted.push({ name, posted, seen: Date.now() / 1000 });
  });
  return { accepted, stop: () => watch.kill() };
}

/** When a TrainJob posted before the last step. */
interface Pace {
  /** Seconds until the first status was accepted, too long by up to one. */
  readonly waited: number;
  /** From the first post to the second; infinite if there was none. */
  readonly interval: number;
}

function paceOf(posts: readonly Accepted[]): Pace {
  const [first, second] = posts;
  if (first === undefined) throw new Error('a TrainJob has no status');
  return { waited: first.seen - first.posted, interval: (second?.posted ?? Infinity) - first.posted };
}

async function fleetResult(pod: string): Promise<FleetResult> {
  const succeeded = '--for=jsonpath={.status.phase}=Succeeded';
  await kubectl('-n', namespace, 'wait', succeeded, `pod/${pod}`, '--timeout=180s');
  const log = await kubectl('-n', namespace, 'logs', pod);
  return JSON.parse(log.trim().split('\n').at(-1) ?? '');
}

async function statuses(): Promise<readonly PostedStatus[]> {
  const { items } = JSON.parse(await kubectl('-n', namespace, 'get', 'trainjob', '-o', 'json'));
  return items.map((it: { status: { trainerStatus: PostedStatus } }) => it.status.trainerStatus);
}

const batches = `ml_training_batch_number_total{job_id=~"${runtime}-.*"}`;

it('40 TrainJobs that begin and end at once post less often where answers are slow, and lose nothing', async () => {
  await createTrainJobs();
  const watch = watchStatuses();
  await apply(fleetPod({ pod: 'status-fleet', trainJobs, seconds: 62 }));
  const { ended, lastStep, lastStepUnix } = await fleetResult('status-fleet');
  watch.stop();

  // The cluster takes ten posts at once and then five a second, so that the last of the first 40 waits for six seconds.
  const regular = watch.accepted.filter(({ posted }) => posted < Math.floor(lastStepUnix));
  const paces = trainJobs.map((name) => paceOf(regular.filter((it) => it.name === name)));
  const slow = paces.filter(({ waited }) => waited > 3.5);
  const fast = paces.filter(({ waited }) => waited < 2);
  expect(slow.length).toBeGreaterThan(8);
  expect(fast.length).toBeGreaterThan(8);
  for (const { interval } of slow) expect(interval).toBeGreaterThanOrEqual(59);
  for (const { interval } of fast) {
    expect(interval).toBeGreaterThanOrEqual(29);
    expect(interval).toBeLessThanOrEqual(48);
  }

  // Posts that wait hold up neither metrics nor the end. A scrape is due every five seconds.
  await until(
    async () => (await query(`last_over_time(${batches}[15m]) == ${lastStep}`)).length === trainJobs.length,
    'the last values of all TrainJobs',
    40_000,
  );
  const changes = await query(`changes(${batches}[60s] @ ${lastStepUnix})`);
  expect(changes.filter(({ value }) => value >= 8)).toHaveLength(trainJobs.length);
  for (const { code, tookMs, log } of ended) {
    expect({ code, log }).toEqual({ code: 0, log: expect.stringContaining('"undelivered":0') });
    expect(log).not.toMatch(/"level":"(warn|error)"/);
    expect(tookMs).toBeLessThan(11_000);
  }

  for (const { progressPercentage, metrics } of await statuses()) {
    expect(progressPercentage).toBe(100);
    expect(metrics).toContainEqual({ name: 'state', value: 'completed' });
    expect(metrics).toContainEqual({ name: 'batch_number', value: String(lastStep) });
  }
});
