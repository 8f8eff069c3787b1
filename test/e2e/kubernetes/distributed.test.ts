import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { jobEnded, namespace, startStack } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { shippedAs, withoutBridge } from './jobs.ts';

const overlay = 'k8s/overlays/distributed';
const receivers = [0, 1, 2];
const folder = (index: number) => `/var/lib/ml-metrics-bridge-test/thanos-${index}`;
const volumeName = (index: number) => `ml-metrics-bridge-test-${index}`;
const inNamespace = (...args: readonly string[]) => kubectl('-n', namespace, ...args);

/** Folders of the node that any user may write to, because the test cluster makes no volumes by itself. */
const makeFolders = (mode: 'make' | 'delete') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `folders-${mode}` },
  spec: {
    restartPolicy: 'Never',
    containers: [
      {
        name: 'node',
        image: 'ml-metrics-bridge:latest',
        imagePullPolicy: 'IfNotPresent',
        securityContext: { runAsUser: 0 },
        command: ['/nodejs/bin/node', '-e'],
        args: [
          `for (const path of ${JSON.stringify(receivers.map(folder))}) {
            fs.rmSync(path, { recursive: true, force: true });
            if ('${mode}' === 'make') fs.mkdirSync(path, { recursive: true }), fs.chmodSync(path, 0o777);
          }`,
        ],
        volumeMounts: [{ name: 'node', mountPath: '/var/lib' }],
      },
    ],
    volumes: [{ name: 'node', hostPath: { path: '/var/lib' } }],
  },
});

async function runPod(pod: ReturnType<typeof makeFolders>): Promise<void> {
  const { name } = pod.metadata;
  await kubectl('delete', 'pod', name, '--ignore-not-found');
  await apply(JSON.stringify(pod));
  await kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${name}`, '--timeout=60s');
  await kubectl('delete', 'pod', name);
}

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

/** Every value of a series, with its time, of every replica: deduplication passes over samples where it changes replicas. */
async function samples(selector: string): Promise<readonly (readonly [number, string])[]> {
  const query = new URLSearchParams({ query: `${selector}[30m]`, dedup: 'false' });
  const service = `/api/v1/namespaces/${namespace}/services/thanos-query:http/proxy`;
  const { data } = JSON.parse(await kubectl('get', '--raw', `${service}/api/v1/query?${query}`));
  return data.result.flatMap(({ values }: { values: [number, string][] }) => values);
}

const stepsOf = async (job: string) =>
  (await samples(`ml_training_batch_number_total{job_id="${job}"}`)).map(([, value]) => Number(value));

/** The step that the training has written last; an epoch has 60. */
async function trained(job: string): Promise<number> {
  const read = "fs.readFileSync('/shared/metrics/current.json', 'utf8')";
  const node = ['-c', 'otel-metrics-bridge', '--', '/nodejs/bin/node', '-p', read];
  const { training_metrics } = JSON.parse(await inNamespace('exec', `job/${job}`, ...node));
  return (training_metrics.epoch - 1) * 60 + training_metrics.batch_number;
}

const kill = (pod: string) => inNamespace('delete', 'pod', pod, '--force', '--grace-period=0');

const scale = (replicas: number) =>
  inNamespace('scale', 'statefulset/thanos-receive', `--replicas=${replicas}`);

const receiversReady = () => inNamespace('rollout', 'status', 'statefulset/thanos-receive', '--timeout=180s');

beforeAll(async () => {
  await runPod(makeFolders('make'));
  for (const index of receivers) await apply(JSON.stringify(volume(index)));
  const said = await startStack(overlay, ['jaeger', 'thanos-query', 'thanos-rule', 'otel-collector']);
  expect(said).not.toMatch(/warning|violate|forbidden|unable/i);
  await receiversReady();
});
afterAll(async () => {
  await kubectl('delete', '-k', overlay, '--ignore-not-found', '--timeout=180s');
  for (const index of receivers) await kubectl('delete', 'pv', volumeName(index), '--ignore-not-found');
  await runPod(makeFolders('delete'));
});

it('keeps every snapshot while receivers and Collectors are killed, and waits while two of three are gone', async () => {
  const name = `distributed-${Date.now().toString(36)}`;
  const manifest = (await inject(withoutBridge(shippedAs('ml-training-job', name))))
    .replace('name: WRITE_INTERVAL, value: "0.06"', 'name: WRITE_INTERVAL, value: "0.4"')
    .replace(
      '- name: POD_NAME\n',
      '- name: COLLECTION_INTERVAL\n              value: "0.1"\n            - name: POD_NAME\n',
    );
  await apply(manifest);
  const arrived = (step: number) =>
    until(async () => Math.max(0, ...(await stepsOf(name))) >= step, `step ${step} in Thanos`, 90_000);

  await arrived(10);
  await kill('thanos-receive-1');
  await arrived(50);
  await receiversReady();
  const collectors = await inNamespace('get', 'pods', '-l', 'app=otel-collector', '-o', 'name');
  expect(collectors.trim().split('\n').length).toBeGreaterThanOrEqual(2);
  await kill(collectors.trim().split('\n')[0]?.replace('pod/', '') ?? '');
  await arrived(90);

  await scale(1);
  await inNamespace('wait', '--for=delete', 'pod/thanos-receive-1', 'pod/thanos-receive-2', '--timeout=60s');
  const before = await trained(name);
  await until(async () => (await trained(name)) >= before + 25, 'training without a quorum', 60_000);
  expect(await inNamespace('logs', `job/${name}`, '-c', 'otel-metrics-bridge')).toMatch(
    /UNAVAILABLE.*HTTP Status Code 503/,
  );
  await scale(3);
  await receiversReady();

  expect(await jobEnded(name, 180_000)).toEqual({ status: 'Complete' });
  const last = 240;
  await arrived(last);
  // Every snapshot that was read is there: each has a step of its own, from 0 on.
  const found = new Set(await stepsOf(name));
  const read = await samples(`ml_bridge_snapshots_total{outcome="ok", instance=~".*${name}.*"}`);
  const snapshots = Math.max(...read.map(([, value]) => Number(value)));
  expect(snapshots).toBeGreaterThan(last / 2);
  expect(found.size).toBe(snapshots);
  const lost = ['ml_bridge_dropped_total', 'ml_bridge_points_refused_total'];
  for (const metric of lost) {
    const values = await samples(`${metric}{instance=~".*${name}.*"}`);
    expect(
      values.map(([, value]) => Number(value)).filter((value) => value > 0),
      metric,
    ).toEqual([]);
  }
});
