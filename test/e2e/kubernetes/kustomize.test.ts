import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { kubectl, repository } from './command.ts';

// A dry run finds a namespace only where there is one.
const namespace = ['apply', '-f', 'k8s/base/namespace.yaml'];
beforeAll(() => kubectl(...namespace));
afterAll(() => kubectl('delete', '-f', 'k8s/base/namespace.yaml', '--ignore-not-found', '--timeout=180s'));

interface Parts {
  readonly resources: readonly string[];
  readonly components: readonly string[];
}

/** A kustomization of somebody else, beside which the repository lies somewhere. */
function kustomization(
  { resources, components }: Parts,
  files: Readonly<Record<string, string>> = {},
): string {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-kustomize-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const from = (path: string) => (path in files ? path : relative(folder, repository + path));
  const content = { resources: resources.map(from), components: components.map(from) };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(content));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

const job = (name: string, container: object, rest: object = {}) =>
  JSON.stringify({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [container], ...rest } } },
  });

it('the sidecar component adds the bridge to every Job, and keeps what is there', async () => {
  const volumes = [{ name: 'data', emptyDir: {} }];
  const mount = { name: 'data', mountPath: '/data' };
  const folder = kustomization(
    { resources: ['one.json', 'two.json'], components: ['k8s/components/sidecar'] },
    {
      'one.json': job('one', { name: 'trainer', image: 'train:1' }),
      'two.json': job('two', { name: 'train', image: 'train:1', volumeMounts: [mount] }, { volumes }),
    },
  );
  const { items } = JSON.parse(await kubectl('apply', '-k', folder, '--dry-run=server', '-o', 'json'));
  expect(items).toHaveLength(2);
  for (const { spec } of items) {
    expect(spec.template.spec.initContainers).toMatchObject([
      { name: 'otel-metrics-bridge', restartPolicy: 'Always' },
    ]);
    expect(spec.template.spec.containers[0].volumeMounts).toContainEqual({
      name: 'metrics-volume',
      mountPath: '/shared/metrics',
    });
  }
  expect(items[1].spec.template.spec.containers[0].volumeMounts).toContainEqual(mount);
});

it('a component lets the bridges of all Jobs send native histograms', async () => {
  const folder = kustomization(
    { resources: ['job.json'], components: ['k8s/components/sidecar', 'k8s/components/native-histograms'] },
    { 'job.json': job('job', { name: 'trainer', image: 'train:1' }) },
  );
  const { spec } = JSON.parse(await kubectl('apply', '-k', folder, '--dry-run=server', '-o', 'json'));
  const [bridge, ...others] = spec.template.spec.initContainers;
  expect(others).toEqual([]);
  expect(bridge.image).toBe('ml-metrics-bridge:latest');
  expect(bridge.env).toContainEqual({
    name: 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
    value: 'base2_exponential_bucket_histogram',
  });
  expect(bridge.env).toContainEqual({ name: 'METRICS_FILE_PATH', value: '/shared/metrics/current.json' });
});

it.each(['k8s/base', 'k8s/overlays/large'])('%s can keep its traces on a volume', async (stack) => {
  const folder = kustomization({ resources: [stack], components: ['k8s/components/jaeger-badger'] });
  const said = await kubectl('apply', '-k', folder, '--dry-run=server');
  expect(said).toContain('persistentvolumeclaim/jaeger created (server dry run)');
});

it('the API server takes Thanos with a bucket and tenants', async () => {
  const components = ['k8s/components/thanos-bucket', 'k8s/components/thanos-tenants'];
  const folder = kustomization({ resources: ['k8s/overlays/distributed'], components });
  const said = await kubectl('apply', '-k', folder, '--dry-run=server', '--validate=strict');
  expect(said).toContain('deployment.apps/thanos-compact created (server dry run)');
  expect(said).not.toMatch(/warning/i);
});

const kustomizations = [
  'k8s',
  'k8s/overlays/large',
  'k8s/overlays/distributed',
  'k8s/overlays/kube-prometheus',
  'k8s/admission',
];
it.each(kustomizations)('the API server takes all of %s', async (folder) => {
  expect(await kubectl('apply', '-k', folder, '--dry-run=server', '--validate=strict')).not.toMatch(
    /warning/i,
  );
});
