import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { freePort } from '../support/port.ts';
import { answers, type Program, startProgram } from './program.ts';

/** Of a pod, and an interval that is too long for a test. */
const ofPods =
  /address|endpoint|--label|path|hashrings-file|data-dir|rule-file|--query=|remote-write\.config|eval-interval|objstore|--wait/;

/** The arguments of a container of `k8s/`, without addresses and paths, which are those of a pod. */
function shippedArguments(file: string): readonly string[] {
  const text = readFileSync(`k8s/${file}`, 'utf8');
  const workload = parseAllDocuments(text)
    .map((document) => document.toJS())
    .find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  const args: readonly string[] = workload.spec.template.spec.containers[0].args;
  return args.filter((arg) => !ofPods.test(arg));
}

const thanos = () => process.env.THANOS || 'thanos';

const overlay = 'overlays/distributed';

/** One of Thanos' programs that listen, with the arguments of its pod: THANOS, or the one on the PATH. */
async function startComponent(file: string, args: readonly string[]) {
  const url = `http://127.0.0.1:${await freePort()}`;
  const started = await startProgram({
    program: thanos(),
    args: [...shippedArguments(file), `--http-address=${url.slice('http://'.length)}`, ...args],
    isReady: () => answers(`${url}/-/ready`),
  });
  return { ...started, url };
}

export interface Thanos extends Program {
  /** Where Collectors write to, each of the receivers. */
  readonly receivers: readonly string[];
  /** What each receiver tells about itself. */
  readonly receiverMetrics: readonly string[];
  /** The API of Prometheus. */
  readonly url: string;
  /** All programs, the receivers first. */
  readonly pids: readonly number[];
}

/**
 * Three receivers with every sample on each of them, and one that answers queries.
 *
 * @param more arguments of the receivers
 */
export async function startThanos(more: readonly string[] = []): Promise<Thanos> {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-thanos-'));
  const hashrings = join(folder, 'hashrings.json');
  const grpc = await Promise.all([freePort(), freePort(), freePort()]);
  const endpoints = grpc.map((port) => ({ address: `127.0.0.1:${port}` }));
  writeFileSync(hashrings, JSON.stringify([{ endpoints }]));

  const receivers = await Promise.all(
    endpoints.map(async ({ address }, index) => {
      const [write, capnproto] = [await freePort(), await freePort()];
      const receiver = await startComponent(`${overlay}/thanos-receive.yaml`, [
        ...more,
        `--grpc-address=${address}`,
        `--remote-write.address=127.0.0.1:${write}`,
        `--receive.capnproto-address=127.0.0.1:${capnproto}`,
        `--receive.local-endpoint=${address}`,
        `--receive.hashrings-file=${hashrings}`,
        `--label=replica="${index}"`,
        `--tsdb.path=${folder}/${index}`,
      ]);
      return { ...receiver, write: `http://127.0.0.1:${write}` };
    }),
  );
  const query = await startThanosQuery(grpc);
  return {
    pid: query.pid,
    url: query.url,
    pids: [...receivers, query].map(({ pid }) => pid),
    receivers: receivers.map(({ write }) => write),
    receiverMetrics: receivers.map(({ url }) => `${url}/metrics`),
    stop: async () => {
      await Promise.all([query, ...receivers].map((it) => it.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param ports of what it asks */
export const startThanosQuery = async (ports: readonly number[]) =>
  startComponent(`${overlay}/thanos-query.yaml`, [
    `--grpc-address=127.0.0.1:${await freePort()}`,
    ...ports.map((port) => `--endpoint=127.0.0.1:${port}`),
  ]);

export interface ThanosRule extends Program {
  /** Evaluates nothing from now on, and goes on writing what it has computed. */
  unloadRules(): Promise<void>;
}

/**
 * The repository's rules, evaluated every second on what Thanos answers.
 *
 * @param writeTo addresses for remote write of what is computed
 */
export async function startThanosRule(query: Thanos, writeTo: readonly string[]): Promise<ThanosRule> {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-thanos-rule-'));
  const targets = writeTo.map((url, index) => ({ name: `target-${index}`, url }));
  cpSync('prometheus/rules', join(folder, 'rules'), { recursive: true });
  const rule = await startComponent(`${overlay}/thanos-rule.yaml`, [
    `--grpc-address=127.0.0.1:${await freePort()}`,
    `--data-dir=${folder}`,
    `--rule-file=${folder}/rules/*.yaml`,
    `--query=${query.url}`,
    `--remote-write.config=${JSON.stringify({ remote_write: targets })}`,
    '--label=rule="test"',
    '--eval-interval=1s',
  ]);
  return {
    ...rule,
    async unloadRules() {
      rmSync(join(folder, 'rules'), { recursive: true });
      const { ok } = await fetch(`${rule.url}/-/reload`, { method: 'POST' });
      if (!ok) throw new Error('Thanos Rule does not reload its rules');
    },
    stop: async () => {
      await rule.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const bucketFolder = 'components/thanos-bucket';

/** The argument that names a folder as the bucket. */
export const bucketIn = (directory: string) =>
  `--objstore.config=${JSON.stringify({ type: 'FILESYSTEM', config: { directory } })}`;

/** Merges what is in the bucket once; throws what it has said if it fails. */
export function compactBucket(bucket: string, folder: string): void {
  const args = shippedArguments(`${bucketFolder}/thanos-compact.yaml`);
  // Blocks are left alone for half an hour, in case a part of them is not there yet.
  const more = [bucketIn(bucket), `--data-dir=${folder}`, '--consistency-delay=0s'];
  execFileSync(thanos(), [...args, ...more], { stdio: 'pipe' });
}

/** Answers from the bucket, through a querier. */
export async function startThanosStore(bucket: string, folder: string) {
  const port = await freePort();
  const store = await startComponent(`${bucketFolder}/thanos-store.yaml`, [
    bucketIn(bucket),
    `--data-dir=${folder}`,
    `--grpc-address=127.0.0.1:${port}`,
  ]);
  const query = await startThanosQuery([port]);
  return {
    ...query,
    stop: async () => void (await Promise.all([query.stop(), store.stop()])),
  };
}
