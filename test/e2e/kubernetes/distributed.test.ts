import { afterAll, beforeAll, expect, it } from 'vitest';
import { recordingRules } from '../../../tools/generate/alerts/recording-rules.ts';
import { alertGroups } from '../../../tools/generate/alerts/rules.ts';
import { until } from '../../support/until.ts';
import { jobEnded, namespace, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { shippedAs, withoutBridge } from './jobs.ts';
import { killOnNode, onNode, startNodePod, stopNodePod } from './node-pod.ts';
import { train } from './scripted.ts';
import { stored, storedSteps, thanosAddress, thanosRules } from './thanos.ts';

const overlay = 'k8s/overlays/distributed';
const receivers = [0, 1, 2];
const folder = (index: number) => `/var/lib/ml-metrics-bridge-test/thanos-${index}`;
const volumeName = (index: number) => `ml-metrics-bridge-test-${index}`;
const inNamespace = (...args: readonly string[]) => kubectl('-n', namespace, ...args);

/** The test cluster makes no volumes by itself. */
const volume = (index: number) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name: volumeName(index) },
  spec: {
    capacity: { storage: '20Gi' },
    accessModes: ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    claimRef: { namespace, name: `data-thanos-receive-${index}` },
    hostPath: { path: folder(index), type: 'Directory' },
  },
});

/** Folders of the node that any user may write to. */
const makeFolders = `
  for (const path of ${JSON.stringify(receivers.map(folder))}) {
    fs.rmSync(path, { recursive: true, force: true });
    fs.mkdirSync(path, { recursive: true });
    fs.chmodSync(path, 0o777);
  }`;
const deleteFolders = `fs.rmSync('/var/lib/ml-metrics-bridge-test', { recursive: true, force: true });`;

const scale = (replicas: number) =>
  inNamespace('scale', 'statefulset/thanos-receive', `--replicas=${replicas}`);

const receiversReady = () => inNamespace('rollout', 'status', 'statefulset/thanos-receive', '--timeout=180s');

const collectorsReady = () =>
  until(
    async () => {
      const path =
        'jsonpath={range .items[?(@.status.containerStatuses[0].ready==true)]}{.metadata.name} {end}';
      const names = await inNamespace('get', 'pods', '-l', 'app=otel-collector', '-o', path);
      const ready = names.split(' ').filter(Boolean);
      return ready.length >= 2 && ready;
    },
    'two Collectors',
    120_000,
  );

/** Ends a container by SIGKILL, and waits until the kubelet has started it again. */
async function kill(pod: string): Promise<void> {
  const status = async () => {
    const [container] = JSON.parse(await inNamespace('get', 'pod', pod, '-o', 'json')).status
      .containerStatuses;
    return container as { restartCount: number; lastState: { terminated?: { exitCode: number } } };
  };
  const { restartCount } = await status();
  await killOnNode(pod);
  const restarted = async () => {
    const now = await status();
    return now.restartCount > restartCount && now;
  };
  const { lastState } = await until(restarted, `${pod} to restart`, 60_000);
  expect(lastState.terminated?.exitCode).toBe(137);
}

beforeAll(async () => {
  await startNodePod();
  await onNode(makeFolders);
  for (const index of receivers) await apply(JSON.stringify(volume(index)));
  const said = await startStack(overlay, ['jaeger', 'thanos-query', 'thanos-rule', 'otel-collector']);
  expect(said).not.toMatch(/warning|violate|forbidden|unable/i);
  await receiversReady();
});
afterAll(async () => {
  await kubectl('delete', '-k', overlay, '--ignore-not-found', '--timeout=180s');
  for (const index of receivers) await kubectl('delete', 'pv', volumeName(index), '--ignore-not-found');
  await onNode(deleteFolders);
  await stopNodePod();
});

/** The training ends with the first step after this file is there, however long the faults take. */
const endFile = '/shared/metrics/end';
const writeMs = 400;
/** How long a busy machine may take from reading a file to the time of its points. */
const toleranceMs = 500;

/** Prints for each step when the writing of its file began. The loss is the number of the step. */
const training = (job: string) => `
  const start = new Date().toISOString();
  let step = 0;
  const write = () => {
    step += 1;
    const isLast = fs.existsSync('${endFile}');
    const file = {
      job_metadata: { job_id: '${job}', start_time: start, rank: 0 },
      status: isLast ? 'completed' : 'running',
      training_metrics: { epoch: 1, batch_number: step, global_step: step, training_loss: step },
    };
    fs.writeFileSync('/shared/metrics/next.json', JSON.stringify(file));
    const now = Date.now();
    fs.renameSync('/shared/metrics/next.json', '/shared/metrics/current.json');
    console.log(step, now);
    if (isLast) clearInterval(timer), setTimeout(() => {}, 2_000);
  };
  const timer = setInterval(write, ${writeMs});`;

/** When each step was written, in milliseconds since 1970; the first one is step 1. */
async function writes(job: string): Promise<readonly number[]> {
  const lines = (await inNamespace('logs', `job/${job}`, '-c', 'trainer')).trim().split('\n');
  return lines.map((line) => Number(line.split(' ')[1]));
}

it('keeps every snapshot while receivers and Collectors are killed, and waits while two of three are gone', {
  timeout: 420_000,
}, async () => {
  const name = `distributed-${Date.now().toString(36)}`;
  await train({ name, namespace, script: training(name) }, [{ name: 'COLLECTION_INTERVAL', value: '0.1' }]);
  const arrived = (step: number) =>
    until(async () => (await storedSteps(name)).has(step) || undefined, `step ${step} in Thanos`, 90_000);
  const written = async () => (await writes(name)).length;
  const newStepArrives = async () => {
    const step = await written();
    await until(async () => Math.max(0, ...(await storedSteps(name)).keys()) > step, 'a new step', 90_000);
  };
  /** What two of three have is acknowledged. They find each other at new addresses after up to half a minute. */
  const copied = (last: number) =>
    until(
      async () => {
        const steps = await storedSteps(name);
        return [...steps].every(([step, { replicas }]) => step > last || replicas >= 2) && steps;
      },
      `two copies of each step up to ${last}`,
      120_000,
    );

  await until(async () => (await storedSteps(name)).size >= 10, 'ten steps', 90_000);
  await kill('thanos-receive-1');
  await newStepArrives();
  await receiversReady();
  // The bridge is connected to one of them.
  for (const collector of await collectorsReady()) {
    await kill(collector);
    await newStepArrives();
    await collectorsReady();
  }

  await scale(1);
  await inNamespace('wait', '--for=delete', 'pod/thanos-receive-1', 'pod/thanos-receive-2', '--timeout=120s');
  const before = await written();
  await until(async () => (await written()) >= before + 25, 'training without a quorum', 60_000);
  expect(await inNamespace('logs', `job/${name}`, '-c', 'otel-metrics-bridge')).toMatch(
    /UNAVAILABLE.*HTTP Status Code 503/,
  );
  await scale(3);
  await receiversReady();
  await newStepArrives();
  await copied(await written());

  const end = ['/nodejs/bin/node', '-e', `fs.writeFileSync('${endFile}', '')`];
  await inNamespace('exec', `job/${name}`, '-c', 'trainer', '--', ...end);
  expect(await jobEnded(name, 180_000)).toEqual({ status: 'Complete' });
  const times = await writes(name);
  await arrived(times.length);
  const steps = await copied(times.length);
  // Each step that was read is one snapshot, from the first one on.
  const read = await stored(`ml_bridge_snapshots_total{outcome="ok", instance=~".*${name}.*"}`);
  const snapshots = Math.max(...read.map(({ value }) => value));
  expect(snapshots).toBeGreaterThan(times.length / 2);
  expect(steps.size).toBe(snapshots);
  for (const [step, { timeMs }] of steps) {
    // Read before the next one was written.
    expect(timeMs, `step ${step}`).toBeGreaterThanOrEqual(times[step - 1] ?? Number.NaN);
    expect(timeMs, `step ${step}`).toBeLessThan((times[step] ?? Number.POSITIVE_INFINITY) + toleranceMs);
  }
  const lost = ['ml_bridge_dropped_total', 'ml_bridge_points_refused_total'];
  for (const metric of lost) {
    const values = await stored(`${metric}{instance=~".*${name}.*"}`);
    expect(values.length, metric).toBeGreaterThan(0);
    expect(
      values.filter(({ value }) => value > 0),
      metric,
    ).toEqual([]);
  }
});

const rules = [
  ...Object.values(alertGroups).flatMap((group) => group.map(({ name }) => name)),
  ...Object.values(recordingRules).flatMap((group) => group.map(({ record }) => record)),
].sort();

it('evaluates the rules, and keeps what they give in the receivers', async () => {
  const name = `nan-${Date.now().toString(36)}`;
  const manifest = withoutBridge(shippedAs('ml-training-job', name))
    .replace('args: [simulate]', 'args: [simulate, --fault, nan]')
    .replace('name: WRITE_INTERVAL, value: "0.06"', 'name: WRITE_INTERVAL, value: "0.5"');
  await apply(await inject(manifest));
  const healthy = async () => {
    const loaded = await thanosRules();
    expect(loaded.map((rule) => rule.name).sort()).toEqual(rules);
    return loaded.every(({ health }) => health === 'ok');
  };
  await until(healthy, 'an evaluation of every rule', 60_000);
  const firing = `ALERTS{alertname="MlTrainingLossNotFinite", alertstate="firing", job_id="${name}"}`;
  const copies = async () => new Set((await stored(firing)).map(({ replica }) => replica)).size;
  await until(async () => (await copies()) >= 2, 'the alert of a job whose loss is NaN', 120_000);
});

it("has the address of Grafana's data source from another namespace", async () => {
  const dataSource = await inNamespace('get', 'configmap', '-l', 'grafana_datasource=1', '-o', 'json');
  expect(JSON.parse(dataSource).items[0].data['datasource.yaml']).toContain(`url: ${thanosAddress}\n`);
  const answer = await onNode(`
    require('node:http').get('${thanosAddress}/api/v1/query?query=count(ml_training_loss)', (response) => {
      response.pipe(process.stdout);
    });`);
  expect(JSON.parse(answer)).toMatchObject({ status: 'success', data: { resultType: 'vector' } });
});
