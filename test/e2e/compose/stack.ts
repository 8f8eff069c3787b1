import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../support/until.ts';
import { answers } from '../program.ts';
import { docker, repository } from './docker.ts';

/** Everything but Grafana, which shows what is tested here and adds nothing of its own to it. */
export const services = [
  'mock-ml-job',
  'otel-metrics-bridge',
  'otel-collector',
  'prometheus',
  'jaeger',
] as const;

/** What a test changes in docker-compose.yaml, in the words of that file. */
export interface Override {
  readonly services: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [key: string]: unknown;
}

/** Of `docker inspect`. */
export interface Container {
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly ExitCode: number;
    readonly OOMKilled: boolean;
    readonly Health?: { readonly Status: string };
  };
}

/** The stack of docker-compose.yaml, as a project of its own on ports of its own. */
export interface Stack {
  compose(...args: readonly string[]): Promise<string>;
  /** Starts services, with another override where one is given; what is changed by it is made anew. */
  up(services: readonly string[], override?: Override): Promise<void>;
  /** Starts what bridges send to, and waits until it takes it: they wait by themselves, but say so. */
  upBackend(): Promise<void>;
  /** Address of a published port, `http://127.0.0.1:32768`. It is another one after each start of the service. */
  url(service: string, port: number): Promise<string>;
  container(service: string): Promise<Container>;
  /** The JSON lines a service has written. */
  logs(service: string): Promise<readonly LogLine[]>;
  /** The metrics file, as the bridge sees it. */
  metricsFile(service?: string): Promise<MetricsFile>;
  down(): Promise<void>;
}

export interface MetricsFile {
  readonly job_metadata: Readonly<Record<string, string>>;
  readonly training_metrics: Readonly<Record<string, number>>;
}

/** Any free port of this machine, so that a stack that runs already is not in the way. */
const freePorts = Object.fromEntries(
  ['OTLP', 'COLLECTOR_METRICS', 'COLLECTOR_HEALTH', 'PROMETHEUS', 'JAEGER', 'GRAFANA'].map((name) => [
    `${name}_PORT`,
    '0',
  ]),
);

/** @param more further files of the repository, after docker-compose.yaml */
export async function createStack(
  name: string,
  override: Override = { services: {} },
  more: readonly string[] = [],
): Promise<Stack> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-metrics-bridge-'));
  const overrideFile = join(folder, 'override.json');
  const shipped = ['docker-compose.yaml', ...more].map((file) => join(repository, file));
  const files = [...shipped, overrideFile].flatMap((file) => ['-f', file]);
  const project = ['-p', `ml-metrics-bridge-e2e-${name}-${process.pid}`];
  await writeFile(overrideFile, JSON.stringify(override));

  const compose = (...args: readonly string[]) =>
    docker(['compose', ...project, ...files, ...args], freePorts);

  const url = async (service: string, port: number) =>
    `http://${(await compose('port', service, String(port))).trim()}`;

  async function container(service: string): Promise<Container> {
    const id = (await compose('ps', '-a', '-q', service)).trim();
    return JSON.parse(await docker(['inspect', id]))[0];
  }

  return {
    compose,
    container,
    async up(names, changed) {
      if (changed) await writeFile(overrideFile, JSON.stringify(changed));
      await compose('up', '--build', '-d', ...names);
    },
    async upBackend() {
      await compose('up', '-d', 'otel-collector', 'jaeger', 'prometheus');
      for (const address of [await url('otel-collector', 13_133), await url('jaeger', 16_686)])
        await until(() => answers(address), address, 60_000);
    },
    url,
    async logs(service) {
      const lines = (await compose('logs', '--no-log-prefix', '--no-color', service)).split('\n');
      return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    },
    async metricsFile(service = 'otel-metrics-bridge') {
      const read = "fs.readFileSync('/shared/metrics/current.json', 'utf8')";
      return JSON.parse(await compose('exec', '-T', service, '/nodejs/bin/node', '-p', read));
    },
    async down() {
      await compose('down', '--volumes', '--remove-orphans', '--timeout', '1');
      await rm(folder, { recursive: true });
    },
  };
}
