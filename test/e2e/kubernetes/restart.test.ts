import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { until } from '../../support/until.ts';
import { forget, jobEnded } from './cluster.ts';
import { apply, kubectl } from './command.ts';
import { inject } from './inject.ts';
import { createNamespace, scripted, serve } from './scripted.ts';
import { resource } from './training.ts';

const namespace = 'ml-restart-test';
const name = 'restarted';
const sink = 'sink';
const collector = 'otel-collector';
const queue = '/var/lib/bridge-queue';

/** A backend behind the Collector. Prints each loss with its time and its bridge, and each span, a line of JSON each. */
const sinkScript = `
const attribute = ({ attributes }, key) => {
  const { value } = attributes.find((it) => it.key === key) ?? {};
  return value && Object.values(value)[0];
};
const losses = ({ resourceMetrics = [] }) => resourceMetrics.flatMap(({ resource, scopeMetrics }) =>
  scopeMetrics.flatMap(({ metrics }) => metrics)
    .filter((metric) => metric.name === 'ml.training.loss')
    .flatMap(({ gauge }) => gauge.dataPoints)
    .map(({ asDouble, timeUnixNano }) =>
      ({ loss: asDouble, timeMs: Number(timeUnixNano) / 1e6, instance: attribute(resource, 'service.instance.id') })));
const spans = ({ resourceSpans = [] }) => resourceSpans.flatMap(({ scopeSpans }) =>
  scopeSpans.flatMap(({ spans }) => spans)
    .map((span) => ({ span: span.name, id: span.spanId, parent: span.parentSpanId,
      partial: attribute(span, 'training.run.partial') ?? false })));
require('node:http').createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (chunk) => { body += chunk; }).on('end', () => {
    const message = JSON.parse(body);
    for (const line of [...losses(message), ...spans(message)]) console.log(JSON.stringify(line));
    response.setHeader('content-type', 'application/json').end('{}');
  });
}).listen(8080);
process.on('SIGTERM', () => process.exit());`;

/** Trains a step every 300 ms, ten an epoch, until it is told to stop. The loss is the step. */
const trainerScript = `
const fs = require('node:fs');
const startTime = new Date().toISOString();
let step = 0;
const timer = setInterval(() => {
  const stops = fs.existsSync('/shared/metrics/stop');
  step += 1;
  const file = {
    job_metadata: { job_id: '${name}', start_time: startTime },
    training_metrics: { epoch: Math.ceil(step / 10), batch_number: (step - 1) % 10 + 1, training_loss: step },
    ...(stops && { status: 'completed' }),
  };
  fs.writeFileSync('/shared/metrics/next', JSON.stringify(file), { mode: 0o644 });
  fs.renameSync('/shared/metrics/next', '/shared/metrics/current.json');
  if (!stops) return;
  clearInterval(timer);
  setTimeout(() => process.exit(), 3000);
}, 300);`;

interface Loss {
  readonly loss: number;
  readonly timeMs: number;
  readonly instance: string;
}

interface Span {
  readonly span: string;
  readonly id: string;
  readonly parent: string;
  readonly partial: boolean;
}

const inNamespace = (...args: readonly string[]) => kubectl('-n', namespace, ...args);
const inContainer = (container: string, script: string) =>
  inNamespace('exec', `job/${name}`, '-c', container, '--', '/nodejs/bin/node', '-e', script);

async function received(): Promise<readonly (Loss | Span)[]> {
  const log = await inNamespace('logs', sink);
  return log
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
const losses = async () => (await received()).filter((it) => 'loss' in it);
const spans = async () => (await received()).filter((it) => 'span' in it);

const collectorConfig = `
receivers: {otlp: {protocols: {grpc: {endpoint: 0.0.0.0:4317}}}}
exporters:
  otlp_http:
    endpoint: http://${sink}:8080
    encoding: json
    compression: none
    sending_queue: {enabled: false}
    retry_on_failure: {enabled: false}
service:
  pipelines:
    metrics: {receivers: [otlp], exporters: [otlp_http]}
    traces: {receivers: [otlp], exporters: [otlp_http]}`;

/** The Collector as a Deployment, so that it can go and come back behind its Service. */
function collectorManifest(): string {
  const selector = { app: collector };
  const container = {
    name: collector,
    image: 'otel/opentelemetry-collector-contrib:0.165.0',
    imagePullPolicy: 'IfNotPresent',
    args: [`--config=yaml:${collectorConfig}`],
    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  };
  const podSpec = {
    securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container],
  };
  const template = { metadata: { labels: selector }, spec: podSpec };
  const metadata = { name: collector, namespace };
  const deployment = resource('apps/v1', 'Deployment', collector, {
    selector: { matchLabels: selector },
    template,
  });
  const service = resource('v1', 'Service', collector, { selector, ports: [{ port: 4317 }] });
  return [deployment, service].map((it) => JSON.stringify({ ...it, metadata })).join('\n---\n');
}

async function scaleCollector(replicas: 0 | 1): Promise<void> {
  await inNamespace('scale', `deployment/${collector}`, `--replicas=${replicas}`);
  await inNamespace('rollout', 'status', `deployment/${collector}`, '--timeout=120s');
  if (replicas === 0)
    await inNamespace('wait', '--for=delete', 'pod', `--selector=app=${collector}`, '--timeout=60s');
}

/** A Job whose bridge has a queue on an emptyDir, and whose containers see each other's processes. */
async function startJob(): Promise<void> {
  const job = resource('batch/v1', 'Job', name, { backoffLimit: 0, template: scripted(name, trainerScript) });
  const manifest = parse(await inject(JSON.stringify({ ...job, metadata: { name, namespace } })));
  const { spec } = manifest.spec.template;
  const [bridge] = spec.initContainers;
  bridge.env.push(
    { name: 'COLLECTION_INTERVAL', value: '0.1' },
    { name: 'EXPORT_MIN_INTERVAL', value: '0' },
    { name: 'EXPORT_QUEUE_DIR', value: queue },
    // No heartbeat, which the next snapshot would replace in the folder.
    { name: 'OTEL_METRIC_EXPORT_INTERVAL', value: '30000' },
    { name: 'OTEL_TRACES_EXPORTER', value: 'otlp' },
  );
  bridge.volumeMounts.push({ name: 'bridge-queue', mountPath: queue });
  spec.volumes.push({ name: 'bridge-queue', emptyDir: { sizeLimit: '600Mi' } });
  // Within its own PID namespace, the bridge is PID 1, which nothing in there can kill.
  spec.shareProcessNamespace = true;
  await apply(JSON.stringify(manifest));
}

/** SIGKILL, as the kernel sends it where memory runs out. */
const killBridge = () =>
  inContainer(
    'trainer',
    `const { readdirSync, readFileSync } = require('node:fs');
    const isBridge = (id) => readFileSync('/proc/' + id + '/cmdline', 'utf8').includes('main.cjs');
    const others = readdirSync('/proc').filter((id) => Number(id) > 0 && Number(id) !== process.pid);
    for (const id of others.filter(isBridge)) process.kill(Number(id), 'SIGKILL');`,
  );

/** How many snapshots the folder holds that were written since then. */
async function queuedSince(unixMs: number): Promise<number> {
  const list = `
    const files = fs.readdirSync('${queue}', { recursive: true }).filter((name) => name.endsWith('.otlp'));
    console.log(files.filter((name) => fs.statSync('${queue}/' + name).mtimeMs > ${unixMs}).length);`;
  return Number(await inContainer('otel-metrics-bridge', list));
}

async function restarts(): Promise<number> {
  const path = 'jsonpath={.items[0].status.initContainerStatuses[0].restartCount}';
  return Number(await inNamespace('get', 'pod', `--selector=job-name=${name}`, '-o', path));
}

beforeAll(async () => {
  await createNamespace(namespace);
  await serve({ name: sink, namespace, script: sinkScript });
  await apply(collectorManifest());
  await inNamespace('wait', '--for=condition=Ready', `pod/${sink}`, '--timeout=60s');
  await inNamespace('rollout', 'status', `deployment/${collector}`, '--timeout=120s');
});
afterAll(() => forget('namespace', namespace));

it('a bridge that is killed in an outage and restarted in its pod sends what its emptyDir holds, each once, and keeps the id of the run', async () => {
  await startJob();
  await until(async () => (await spans()).some(({ span }) => span === 'training.epoch'), 'an epoch', 90_000);
  await scaleCollector(0);
  const outageMs = Date.now();
  const queued = await until(
    async () => {
      const count = await queuedSince(outageMs);
      return count >= 5 && count;
    },
    'snapshots in the folder',
    60_000,
  );
  const killedMs = Date.now();
  await killBridge();
  await until(async () => (await restarts()) === 1, 'the restart', 60_000);
  await scaleCollector(1);

  const arrived = async () => (await losses()).filter(({ timeMs }) => timeMs > outageMs && timeMs < killedMs);
  await until(async () => (await arrived()).length >= queued, 'what was stored', 60_000);
  await inContainer('trainer', "fs.writeFileSync('/shared/metrics/stop', '')");
  expect(await jobEnded(name, 60_000, namespace)).toEqual({ status: 'Complete' });

  const times = (await arrived()).map(({ timeMs }) => timeMs);
  expect(times).toEqual([...new Set(times)].toSorted((one, other) => one - other));
  expect(new Set((await losses()).map(({ instance }) => instance)).size).toBe(1);
  const all = await spans();
  const runs = all.filter(({ span }) => span === 'training.run');
  expect(runs).toMatchObject([{ partial: true }]);
  const parents = all.filter(({ span }) => span === 'training.epoch').map(({ parent }) => parent);
  expect(new Set(parents)).toEqual(new Set(runs.map(({ id }) => id)));
  expect(await restarts()).toBe(1);
});
