import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { freePort } from '../../support/port.ts';
import { until } from '../../support/until.ts';
import { startProgram, takesConnections } from '../program.ts';
import { jobEnded, lastLoss } from './cluster.ts';
import { apply, kubectl, repository, run } from './command.ts';
import { podOf, shippedAs, withoutBridge } from './jobs.ts';
import { prometheusKnows, queryOperator, uniqueName } from './monitoring.ts';

const chart = 'charts/ml-metrics-bridge';
const release = 'ml-metrics-bridge';
const helm = (...args: readonly string[]) => run('helm', args);
const values = (...settings: readonly string[]) => settings.flatMap((it) => ['--set', it]);

const template = (...settings: readonly string[]) =>
  helm(
    ...['template', release, chart, '--namespace', 'ml-otel-demo', '--kube-version', '1.34.4'],
    ...values(...settings),
  );

interface Resource {
  readonly kind: string;
  readonly metadata: Record<string, unknown> & { name: string; labels: Record<string, string> };
}

/** Without what only one of Helm and kustomize writes: suffixes of ConfigMaps and their checksums, and labels of Helm. */
function comparable(manifests: string): Readonly<Record<string, unknown>> {
  const text = manifests.replaceAll(/^( *(?:- )?name: [a-z-]+)-[a-z0-9]{10}$/gm, '$1');
  const resources = parseAllDocuments(text)
    .map((document) => document.toJS() as Resource | null)
    .filter((it) => it !== null && it.kind !== 'Namespace') as Resource[];
  return Object.fromEntries(
    resources.map((resource) => {
      const { metadata } = resource;
      delete metadata.namespace;
      delete metadata.labels['helm.sh/chart'];
      delete metadata.labels['app.kubernetes.io/managed-by'];
      return [`${resource.kind} ${metadata.name}`, withoutChecksum(resource)];
    }),
  );
}

/** kustomize also adds line breaks to the expressions of the policy, where they have no meaning. */
const withoutChecksum = (resource: object): unknown =>
  JSON.parse(
    JSON.stringify(resource, (key, value) => {
      if (key === 'annotations') return undefined;
      return key === 'expression' ? value.replaceAll(/\s+/g, ' ') : value;
    }),
  );

/** Starts an OCI registry without a password; gives its HOST:PORT. */
async function startRegistry(folder: string): Promise<string> {
  const port = await freePort();
  const config = join(folder, 'registry.yml');
  const address = `127.0.0.1:${port}`;
  writeFileSync(
    config,
    stringify({
      version: '0.1',
      http: { addr: address },
      storage: { filesystem: { rootdirectory: join(folder, 'registry') } },
    }),
  );
  const { stop } = await startProgram({
    program: 'docker-registry',
    args: ['serve', config],
    isReady: () => takesConnections(port),
  });
  onTestFinished(stop);
  return address;
}

describe('the chart', () => {
  it('has no mistake that Helm finds', async () => {
    expect(await helm('lint', '--strict', chart)).toContain('0 chart(s) failed');
  });

  it('is the same after it was pushed to a registry and pulled', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-chart-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { version } = parse(readFileSync(`${repository}${chart}/Chart.yaml`, 'utf8'));
    const archive = join(folder, `${release}-${version}.tgz`);
    const pulled = join(folder, 'pulled');
    mkdirSync(pulled);
    const registry = await startRegistry(folder);
    await helm('package', chart, '--destination', folder);
    await helm('push', archive, `oci://${registry}/charts`, '--plain-http');
    const address = `oci://${registry}/charts/${release}`;
    await helm('pull', address, '--version', version, '--destination', pulled, '--plain-http');
    expect(readFileSync(join(pulled, `${release}-${version}.tgz`)).equals(readFileSync(archive))).toBe(true);
  });

  it.each([
    ['k8s', ['kubePrometheus.enabled=false', 'admission.enabled=false', 'prometheus.enabled=true']],
    ['k8s/overlays/kube-prometheus', ['admission.enabled=false']],
  ] as const)('renders what kustomize renders from %s', async (folder, settings) => {
    const parts = ['collector.enabled=true', 'jaeger.enabled=true', 'networkPolicies.defaultDeny=true'];
    const rendered = comparable(await template(...parts, ...settings));
    const expected = comparable(await kubectl('kustomize', folder));
    expect(rendered).toEqual(expected);
    for (const { metadata } of Object.values(rendered) as Resource[])
      expect(Object.keys(metadata.labels)).toEqual(
        expect.arrayContaining(
          ['component', 'instance', 'name', 'part-of', 'version'].map((it) => `app.kubernetes.io/${it}`),
        ),
      );
  });

  it('renders the admission policy that kustomize renders', async () => {
    const rendered = await template('kubePrometheus.enabled=false', 'networkPolicies.enabled=false');
    expect(comparable(rendered)).toEqual(comparable(await kubectl('kustomize', 'k8s/admission')));
  });

  it('adds a bridge with the requests and limits of its values', async () => {
    const rendered = await template(
      'bridge.resources.requests.cpu=1',
      'bridge.resources.limits.memory=128Mi',
    );
    expect(rendered).toContain(
      'requests: {"cpu":"1","memory":"64Mi"}, limits: {"cpu":"200m","memory":"128Mi"}',
    );
  });

  it('has the rules, the dashboard and the configurations byte for byte', () => {
    const files = {
      'rules.yaml': 'prometheus/rules/ml-metrics-bridge.yaml',
      'ml-training.json': 'grafana/dashboards/ml-training.json',
      'otel-collector.yaml': 'otel-collector.yaml',
      'prometheus.yml': 'prometheus.yml',
    };
    const read = (path: string) => readFileSync(repository + path, 'utf8');
    for (const [copy, source] of Object.entries(files))
      expect(read(`${chart}/files/${copy}`)).toBe(read(source));
  });

  it('opens nothing but its own parts, if the namespace is not its own', async () => {
    const rendered = comparable(await template('collector.enabled=true', 'kubePrometheus.enabled=false'));
    const policies = Object.keys(rendered).filter((name) => name.startsWith('NetworkPolicy'));
    expect(policies).toEqual(['NetworkPolicy names', 'NetworkPolicy otel-collector']);
    expect(rendered['NetworkPolicy names']).toMatchObject({
      spec: { podSelector: { matchLabels: { 'app.kubernetes.io/part-of': 'ml-metrics-bridge' } } },
    });
  });

  it('has a Collector without traces, if it has no Jaeger, and with what is configured', async () => {
    const rendered = await template(
      'collector.enabled=true',
      'collector.config.exporters.debug.verbosity=basic',
    );
    const map = comparable(rendered)['ConfigMap otel-collector'] as { data: Record<string, string> };
    const config = parseAllDocuments(map.data['config.yaml'] ?? '')[0]?.toJS();
    expect(Object.keys(config.service.pipelines)).toEqual(['metrics']);
    expect(config.exporters).toMatchObject({ debug: { verbosity: 'basic' }, prometheus: {} });
    expect(Object.keys(config.exporters)).not.toContain('otlp_grpc/jaeger');
  });

  it.each([
    ['collector.enabeld=true', /enabeld/],
    ['bridge.endpoint=otel-collector:4317', /endpoint/],
    ['bridge.resources.requests.memory=much', /memory/],
    ['admission.apiVersion=v2', /apiVersion/],
  ])('refuses %s', async (setting, problem) => {
    await expect(template(setting)).rejects.toThrow(problem);
  });
});

describe('a release', () => {
  const [platform, team] = ['ml-platform', 'ml-team'];
  const everything = ['collector', 'prometheus', 'jaeger'].map((part) => `${part}.enabled=true`);
  const change = (action: string, ...settings: readonly string[]) =>
    helm(
      ...[action, release, chart, '--namespace', platform, '--wait', '--timeout', '3m'],
      ...values(...settings),
    );

  /** What is left of it in the cluster, of any kind. */
  async function left(): Promise<string> {
    const kinds = await kubectl('api-resources', '--verbs=list', '-o', 'name');
    const listed = kinds.trim().split('\n').join(',');
    const label = `app.kubernetes.io/instance=${release},app.kubernetes.io/managed-by=Helm`;
    return kubectl('get', listed, '--all-namespaces', '-l', label, '-o', 'name', '--ignore-not-found');
  }

  beforeAll(async () => {
    for (const name of [platform, team]) await kubectl('create', 'namespace', name);
    await change('install', ...everything);
  });
  afterAll(async () => {
    await helm('uninstall', release, '--namespace', platform, '--ignore-not-found', '--wait');
    await kubectl('delete', 'namespace', platform, team, '--ignore-not-found', '--timeout=120s');
    await prometheusKnows(platform, false);
  });

  it('adds the bridge to a labelled Job, which completes with its final value in Prometheus', async () => {
    const name = uniqueName('charted');
    const manifest = withoutBridge(shippedAs('ml-training-job', name))
      .replaceAll('namespace: ml-otel-demo', `namespace: ${team}`)
      .replace(
        'ml-metrics-bridge/sends: "true"',
        'ml-metrics-bridge/sends: "true"\n        ml-metrics-bridge/inject: "true"',
      );
    expect(manifest).not.toContain('otel-metrics-bridge');
    const pod = podOf(manifest).replaceAll('namespace: ml-otel-demo', `namespace: ${team}`);
    const acts = async () => {
      const dryRun = await apply(pod, '--dry-run=server', '-o', 'json');
      return dryRun.includes(`http://otel-collector.${platform}:4317`);
    };
    await until(acts, 'the policy to act', 30_000);
    await prometheusKnows(platform, true);

    await apply(manifest);
    expect(await jobEnded(name, 120_000, team)).toEqual({ status: 'Complete' });
    const loss = await lastLoss(name, team);
    expect(loss).toBeGreaterThan(0);
    const last = `last_over_time(ml_training_loss{job_id="${name}"}[15m])`;
    await until(async () => (await queryOperator(last))[0]?.value === loss, `loss ${loss}`, 60_000);
  });

  it('restarts the Collector when an upgrade changes its configuration', async () => {
    const images = ['-o', 'jsonpath={.metadata.generation}'];
    const generation = () => kubectl('-n', platform, 'get', 'deployment', 'otel-collector', ...images);
    const before = Number(await generation());
    await change('upgrade', ...everything);
    expect(Number(await generation())).toBe(before);
    await change('upgrade', ...everything, 'collector.config.exporters.prometheus.metric_expiration=90s');
    expect(Number(await generation())).toBe(before + 1);
    expect(await kubectl('-n', platform, 'get', 'configmap', 'otel-collector', '-o', 'yaml')).toContain(
      'metric_expiration: 90s',
    );
  });

  it('leaves nothing behind', async () => {
    expect(await left()).toContain('mutatingadmissionpolicy');
    await helm('uninstall', release, '--namespace', platform, '--wait');
    await until(async () => (await left()) === '', 'everything to be deleted', 60_000);
    const namespaced = () =>
      kubectl('-n', platform, 'get', 'all,configmaps,secrets,networkpolicies', '-o', 'name');
    const isEmpty = async () => (await namespaced()).trim() === 'configmap/kube-root-ca.crt';
    await until(isEmpty, 'pods to be deleted', 60_000);
  });
});
