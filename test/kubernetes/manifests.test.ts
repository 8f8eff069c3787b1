import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { networkLabel } from '../../src/kubernetes/add-bridge.ts';
import { bridgeContainer } from '../../src/kubernetes/container.ts';
import { injectManifest, removeFromManifest } from '../../src/kubernetes/inject.ts';
import { kinds } from '../../src/kubernetes/kinds.ts';
import { injectDefaults, type Mode } from '../../src/kubernetes/options.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(root + path, 'utf8');

it.each<[string, Mode]>([
  ['ml-training-job', 'native'],
  ['ml-training-job-container', 'container'],
])('%s is what inject writes', (name, mode) => {
  const manifest = read(`k8s/${name}.yaml`);
  const removal = removeFromManifest(manifest);
  expect(removal.status).toBe('ok');
  if (removal.status !== 'ok') return;
  expect(removal.text).not.toContain('otel-metrics-bridge');
  // What the documents promise of this Job; inject asks for less by itself.
  const requests = { cpu: '100m', memory: '128Mi' };
  expect(injectManifest(removal.text, { ...injectDefaults, mode, requests })).toMatchObject({
    status: 'ok',
    text: manifest,
    notes: [],
  });
});

const jobKind = kinds.find(({ kind }) => kind === 'Job');
if (jobKind === undefined) throw new Error('Job is not known');
const mount = {
  volume: injectDefaults.volume,
  mountPath: '/shared/metrics',
  file: { value: '/shared/metrics/current.json' },
};

it("the component's patch has the container that inject adds", async () => {
  const spec = {
    initContainers: [
      bridgeContainer(injectDefaults, mount, { kind: jobKind, resource: {}, keys: [] }, false),
    ],
    volumes: [{ name: injectDefaults.volume, emptyDir: {} }],
  };
  const patch = {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'any' },
    spec: { template: { metadata: { labels: networkLabel }, spec } },
  };
  const comment = '# The container that `ml-metrics-bridge inject` adds: written by a test.\n';
  await expect(comment + stringify(patch, { lineWidth: 0 })).toMatchFileSnapshot(
    `${root}k8s/components/sidecar/sidecar.yaml`,
  );
});

describe('every pod that is shipped', () => {
  const files = readdirSync(`${root}k8s`, { recursive: true, encoding: 'utf8' }).filter(
    (it) => /\.yaml$/.test(it) && !it.includes('config/'),
  );
  const workloads = files.flatMap((file) =>
    parseAllDocuments(read(`k8s/${file}`))
      .map((document) => document.toJS())
      .filter(
        (it) =>
          ['Deployment', 'StatefulSet', 'Job'].includes(it?.kind) &&
          !file.includes('patch') &&
          !file.includes('sidecar'),
      )
      .map((it) => [`${file} ${it.metadata.name}`, it.spec.template.spec] as const),
  );

  it.each(workloads)('%s gives no rights away', (_name, spec) => {
    expect(spec.automountServiceAccountToken).toBe(false);
    for (const container of [...spec.containers, ...(spec.initContainers ?? [])]) {
      expect(container.securityContext).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.imagePullPolicy).toBe('IfNotPresent');
      expect(container.resources.limits.memory).toBeDefined();
    }
  });

  it('has no readinessProbe, which would decide whether the pod of the training is ready', () => {
    expect(files.filter((file) => read(`k8s/${file}`).includes('/readyz'))).toEqual([]);
  });

  it('are all looked at', () => expect(workloads.length).toBe(10));
});

it('the large stack has the rules of the small one', () => {
  const { rule_files } = parse(read('prometheus.yml'));
  expect(parse(read('k8s/overlays/large/prometheus.yml')).rule_files).toEqual(rule_files);
});

it('patches, also those in comments, are such as kustomize reads: one that begins with a bracket is JSON', () => {
  const patches = readdirSync(`${root}k8s`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('kustomization.yaml'))
    .flatMap((file) => [...read(`k8s/${file}`).matchAll(/patch: '(.*)'$/gm)])
    .map(([, patch]) => patch as string);
  expect(patches.length).toBeGreaterThan(0);
  for (const patch of patches)
    expect(() => (patch.startsWith('[') ? JSON.parse(patch) : parse(patch)), patch).not.toThrow();
});

it('every kustomization labels its resources with the version of the package', () => {
  const { version } = JSON.parse(read('package.json'));
  const labels = readdirSync(`${root}k8s`, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('kustomization.yaml'))
    .flatMap((file) => parse(read(`k8s/${file}`)).labels ?? [])
    .map(({ pairs }) => pairs['app.kubernetes.io/version'])
    .filter((it) => it !== undefined);
  expect(labels).toHaveLength(7);
  expect(new Set(labels)).toEqual(new Set([version]));
});

it('the chart has the images of the manifests', () => {
  const { collector, prometheus, jaeger } = parse(read('charts/ml-metrics-bridge/values.yaml'));
  for (const [file, { image, resources }] of Object.entries({
    'otel-collector': collector,
    prometheus,
    jaeger,
  })) {
    const [, deployment] = parseAllDocuments(read(`k8s/base/${file}.yaml`)).map((it) => it.toJS());
    expect(deployment.spec.template.spec.containers[0]).toMatchObject({ image, resources });
  }
});

it('the distributed stack stores as much later and forgets as soon as the large one', () => {
  const window = parse(read('k8s/overlays/large/prometheus.yml')).storage.tsdb.out_of_order_time_window;
  expect(read('k8s/overlays/distributed/thanos-receive.yaml')).toContain(
    `--tsdb.out-of-order.time-window=${window}`,
  );
  const lookback = /--query\.lookback-delta=\w+/;
  const large = lookback.exec(read('k8s/overlays/large/prometheus-patch.yaml'))?.[0];
  expect(lookback.exec(read('k8s/overlays/distributed/thanos-query.yaml'))?.[0]).toBe(large);
});
