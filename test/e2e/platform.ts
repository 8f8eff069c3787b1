import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { standInKubectl } from '../commands/submit/kubectl.ts';
import { temporaryFolder } from '../support/file.ts';
import { freePort } from '../support/port.ts';
import { startProcess } from '../support/process.ts';
import { answers, type Program, type ProgramOptions, startProgram, takesConnections } from './program.ts';

const example = fileURLToPath(new URL('../../examples/platform-api/', import.meta.url));

export interface Platform {
  /** Address of the API. */
  readonly api: string;
  readonly redis: Program;
  /** Posts a job, and returns the id of its trace. */
  post(name: string, model: string): Promise<string>;
  /** The `traceparent` in the pods of the job that was submitted last. */
  header(): string;
}

export interface PlatformOptions {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly collector: string;
  /** Returns the address that the API uses for the model registry. */
  readonly registryAt?: (address: string) => string | Promise<string>;
  /** Variables of the program in the place of kubectl. */
  readonly kubectl?: Readonly<Record<string, string>>;
}

/** The example of a platform as its README starts it, with a program in the place of kubectl, until the test ends. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  if (!existsSync(`${example}node_modules`))
    throw new Error('examples/platform-api is not installed: npm run example');
  const kubectl = standInKubectl();
  const [database, redis, registry] = await Promise.all([
    startDatabase(),
    startRedis(),
    startRegistry(options),
  ]);
  const environment = {
    DATABASE_URL: database,
    REDIS_URL: redis.url,
    MODEL_REGISTRY_URL: (await options.registryAt?.(registry)) ?? registry,
    PATH: `${kubectl.folder}:${process.env.PATH}`,
    STAND_IN: kubectl.folder,
    ...options.kubectl,
  };
  await startPart(options, 'src/worker-main.ts', async (said) => said.includes('waiting for trainings'), {
    OTEL_SERVICE_NAME: 'training-worker',
    ...environment,
  });
  const api = await startServer(options, 'src/main.ts', '/readyz', environment);
  return {
    api,
    redis,
    post: (name, model) => post(api, name, model),
    header: () => headerIn(kubectl.manifest()),
  };
}

async function post(api: string, name: string, model: string): Promise<string> {
  const response = await fetch(`${api}/training/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, model }),
  });
  expect(response.status).toBe(202);
  return ((await response.json()) as { traceId: string }).traceId;
}

/** Of the manifest of a Job. */
const headerIn = (manifest: string): string =>
  parse(manifest).spec.template.metadata.annotations['opentelemetry.io/traceparent'];

async function start(options: ProgramOptions): Promise<Program> {
  const program = await startProgram({ folder: example, ...options });
  onTestFinished(program.stop);
  return program;
}

const startPart = (
  { collector }: PlatformOptions,
  main: string,
  isReady: ProgramOptions['isReady'],
  environment: Readonly<Record<string, string>>,
) =>
  start({
    program: process.execPath,
    args: ['--import', './src/instrumentation.ts', main],
    environment: { OTEL_EXPORTER_OTLP_ENDPOINT: collector, OTEL_BSP_SCHEDULE_DELAY: '100', ...environment },
    isReady,
  });

async function startServer(
  options: PlatformOptions,
  main: string,
  ready: string,
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  await startPart(options, main, () => answers(address + ready), { PORT: String(port), ...environment });
  return address;
}

const startRegistry = (options: PlatformOptions) =>
  startServer(options, 'src/registry-main.ts', '/healthz', { OTEL_SERVICE_NAME: 'model-registry' });

async function startDatabase(): Promise<string> {
  const port = await freePort();
  await start({
    program: 'node_modules/.bin/pglite-server',
    args: ['--db=memory://', `--port=${port}`, '--max-connections=10'],
    isReady: async (said) => said.includes('listening'),
  });
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}

async function startRedis() {
  const port = await freePort();
  const program = await start({
    program: 'redis-server',
    args: ['--port', String(port), '--bind', '127.0.0.1', '--save', ''],
    isReady: () => takesConnections(port),
  });
  return { ...program, url: `redis://127.0.0.1:${port}` };
}

export interface TrainOptions {
  readonly collector: string;
  /** The `traceparent` of the pod. */
  readonly header: string;
  readonly jobId: string;
  readonly epochs?: number;
}

/** A simulated job, with the bridge beside it as in a pod. */
export async function train({ collector, header, jobId, epochs = 3 }: TrainOptions): Promise<void> {
  const METRICS_FILE_PATH = join(temporaryFolder(), 'current.json');
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH,
      COLLECTION_INTERVAL: '0.02',
      TRACEPARENT: header,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector,
    },
  });
  const trainer = startProcess({
    args: ['simulate'],
    environment: {
      METRICS_FILE_PATH,
      JOB_ID: jobId,
      TOTAL_EPOCHS: String(epochs),
      BATCHES_PER_EPOCH: '4',
      WRITE_INTERVAL: '0.1',
    },
  });
  expect(await trainer.ended).toMatchObject({ code: 0 });
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended, bridge.stderr()).toMatchObject({ code: 0 });
}
