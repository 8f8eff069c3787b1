import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../support/until.ts';
import { apply, kubectl } from './command.ts';

const volumes = (...names: readonly string[]) => names.map((name) => ({ name, emptyDir: {} }));

/** A pod as the API server would create it. */
async function created(container: object, rest: object = {}) {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'probe', namespace: 'default', labels: { 'ml-metrics-bridge/inject': 'true' } },
    spec: { containers: [{ name: 'trainer', image: 'train:1', ...container }], ...rest },
  };
  const { spec } = JSON.parse(await apply(JSON.stringify(pod), '--dry-run=server', '-o', 'json'));
  const [bridge] = spec.initContainers ?? [];
  const [trainer] = spec.containers;
  return { bridge, trainer, volumes: spec.volumes };
}

const metricsFile = (value: string) => [{ name: 'METRICS_FILE_PATH', value }];

beforeAll(async () => {
  await kubectl('apply', '-k', 'k8s/admission');
  // The API server takes a moment until it knows a new policy.
  await until(async () => (await created({})).bridge !== undefined, 'the policy to act', 30_000);
});
afterAll(() => kubectl('delete', '-k', 'k8s/admission'));

it.each([
  [
    'reads the file where the training container says, in the deepest of its mounts',
    {
      env: metricsFile('/data/out/metrics.json'),
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'out', mountPath: '/data/out' },
      ],
    },
    { volumes: volumes('data', 'out') },
    { file: '/data/out/metrics.json', name: 'out', mountPath: '/data/out' },
  ],
  [
    'mounts a volume at the folder of a file that is on none',
    { env: metricsFile('/results/metrics.json') },
    {},
    { file: '/results/metrics.json', name: 'metrics-volume', mountPath: '/results' },
  ],
  [
    'reads current.json in the volume of that name',
    {
      volumeMounts: [
        { name: 'data', mountPath: '/data' },
        { name: 'metrics-volume', mountPath: '/m' },
      ],
    },
    { volumes: volumes('metrics-volume', 'data') },
    { file: '/m/current.json', name: 'metrics-volume', mountPath: '/m' },
  ],
  [
    'uses the default path if nothing says another',
    { env: metricsFile('$(ROOT)/metrics.json') },
    {},
    { file: '/shared/metrics/current.json', name: 'metrics-volume', mountPath: '/shared/metrics' },
  ],
])('the admission policy %s', async (_, container, rest, { file, name, mountPath }) => {
  const pod = await created(container, rest);
  expect(pod.bridge.env).toContainEqual({ name: 'METRICS_FILE_PATH', value: file });
  expect(pod.bridge.volumeMounts).toContainEqual({ name, mountPath, readOnly: true });
  expect(pod.trainer.volumeMounts).toContainEqual({ name, mountPath });
  expect(pod.volumes).toContainEqual({ name, emptyDir: {} });
});
