import { namespace } from './cluster.ts';
import { scripted } from './scripted.ts';
import { resource } from './training.ts';

/** How the bridge of a TrainJob ended. */
export interface EndedBridge {
  readonly name: string;
  readonly code: number | null;
  /** From SIGTERM to the end of the process. */
  readonly tookMs: number;
  readonly log: string;
}

/** What the pod prints: when the last training step was written, in Unix seconds, and how the bridges ended. */
export interface FleetResult {
  readonly lastStep: number;
  readonly lastStepUnix: number;
  readonly ended: readonly EndedBridge[];
}

export interface FleetOptions {
  readonly pod: string;
  readonly trainJobs: readonly string[];
  /** How long all TrainJobs train. */
  readonly seconds: number;
}

const server = 'https://kubeflow-trainer-controller-manager.kubeflow-system.svc:10443/apis';
const statusPath = (name: string) =>
  `trainer.kubeflow.org/v1alpha1/namespaces/${namespace}/trainjobs/${name}/status`;
const mountPath = '/var/run/secrets/trainjob-status';

/**
 * A pod that runs the bridges of many TrainJobs, each a process as in the image. All TrainJobs begin at once, write a step
 * a second, and end at once.
 */
export function fleetPod({ pod, trainJobs, seconds }: FleetOptions): string {
  const { spec } = scripted(pod, script);
  const [container] = spec.containers;
  const bridges = trainJobs.map((name) => ({ name, url: `${server}/${statusPath(name)}` }));
  const tokens = trainJobs.map((name) => ({
    serviceAccountToken: { audience: statusPath(name), expirationSeconds: 3600, path: name },
  }));
  const ca = { name: `${trainJobs[0]}-tls-config`, items: [{ key: 'ca.crt', path: 'ca.crt' }] };
  const template = {
    ...spec,
    containers: [
      {
        ...container,
        env: [
          { name: 'BRIDGES', value: JSON.stringify(bridges) },
          { name: 'SECONDS', value: String(seconds) },
        ],
        volumeMounts: [
          { name: 'metrics', mountPath: '/metrics' },
          { name: 'status', mountPath },
        ],
      },
    ],
    volumes: [
      { name: 'metrics', emptyDir: {} },
      { name: 'status', projected: { sources: [...tokens, { configMap: ca }] } },
    ],
  };
  const metadata = { name: pod, namespace, labels: { 'ml-metrics-bridge/sends': 'true' } };
  return JSON.stringify({ ...resource('v1', 'Pod', pod, template), metadata });
}

const script = `
const fs = require('node:fs');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');
const seconds = Number(process.env.SECONDS);
const flags = ['--lite-mode', '--no-lazy-feedback-allocation', '--min-semi-space-size=1', '--single-threaded-gc'];
const startTime = new Date().toISOString();
const folderOf = (name) => '/metrics/' + name;

function startBridge({ name, url }) {
  fs.mkdirSync(folderOf(name));
  const child = spawn(process.execPath, [...flags, '/app/main.cjs'], { env: {
    NODE_COMPILE_CACHE: '/app/compile-cache', MALLOC_ARENA_MAX: '1',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://otel-collector:4317',
    METRICS_FILE_PATH: folderOf(name) + '/current.json', COLLECTION_INTERVAL: '1',
    SIDECAR_MODE: 'native', HEALTH_PORT: '0',
    TRAINJOB_STATUS: 'true', KUBEFLOW_TRAINER_SERVER_URL: url,
    KUBEFLOW_TRAINER_SERVER_CA_CERT: '${mountPath}/ca.crt',
    KUBEFLOW_TRAINER_SERVER_TOKEN: '${mountPath}/' + name,
  } });
  const bridge = { name, child, log: '', started: once(child.stdout, 'data') };
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => { bridge.log += text; });
  return bridge;
}

function write({ name }, step, status) {
  const file = {
    status,
    job_metadata: { job_id: name, start_time: startTime },
    training_metrics: { epoch: 1, batch_number: step, global_step: step, total_steps: seconds, training_loss: 1 / step },
  };
  fs.writeFileSync(folderOf(name) + '/next', JSON.stringify(file));
  fs.renameSync(folderOf(name) + '/next', folderOf(name) + '/current.json');
}

async function stop({ name, child }) {
  const startedMs = Date.now();
  child.kill();
  const [code] = await once(child, 'close');
  return { name, code, tookMs: Date.now() - startedMs };
}

async function main() {
  const bridges = JSON.parse(process.env.BRIDGES).map(startBridge);
  await Promise.all(bridges.map(({ started }) => started));
  for (let step = 1; step <= seconds; step += 1) {
    for (const bridge of bridges) write(bridge, step, step === seconds ? 'completed' : 'running');
    if (step < seconds) await pause(1000);
  }
  const lastStepUnix = Date.now() / 1000;
  const stopped = await Promise.all(bridges.map(stop));
  const ended = stopped.map((it, index) => ({ ...it, log: bridges[index].log }));
  console.log(JSON.stringify({ lastStep: seconds, lastStepUnix, ended }));
}
main();`;
