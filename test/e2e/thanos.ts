import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { freePort } from '../support/port.ts';
import { answers, type Program, startProgram } from './program.ts';

/** The arguments of a container of `k8s/overlays/distributed`, without addresses and paths, which are those of a pod. */
function shippedArguments(name: string): readonly string[] {
  const text = readFileSync(`k8s/overlays/distributed/${name}.yaml`, 'utf8');
  const workload = parseAllDocuments(text)
    .map((document) => document.toJS())
    .find(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet');
  const args: readonly string[] = workload.spec.template.spec.containers[0].args;
  return args.filter((arg) => !/address|endpoint|--label|path|hashrings-file/.test(arg));
}

export interface Thanos extends Program {
  /** Where Collectors write to, each of the receivers. */
  readonly receivers: readonly string[];
  /** The API of Prometheus. */
  readonly url: string;
  /** All programs, the receivers first. */
  readonly pids: readonly number[];
}

/** Three receivers with every sample on each of them, and one that answers queries: THANOS, or the one on the PATH. */
export async function startThanos(): Promise<Thanos> {
  const program = process.env.THANOS || 'thanos';
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-thanos-'));
  const hashrings = join(folder, 'hashrings.json');
  const grpc = await Promise.all([freePort(), freePort(), freePort()]);
  const endpoints = grpc.map((port) => ({ address: `127.0.0.1:${port}` }));
  writeFileSync(hashrings, JSON.stringify([{ endpoints }]));

  const start = async (name: string, args: readonly string[]) => {
    const http = await freePort();
    const started = await startProgram({
      program,
      args: [...shippedArguments(name), `--http-address=127.0.0.1:${http}`, ...args],
      isReady: () => answers(`http://127.0.0.1:${http}/-/ready`),
    });
    return { ...started, url: `http://127.0.0.1:${http}` };
  };
  const receivers = await Promise.all(
    endpoints.map(async ({ address }, index) => {
      const [write, capnproto] = [await freePort(), await freePort()];
      const receiver = await start('thanos-receive', [
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
  const query = await start('thanos-query', [
    `--grpc-address=127.0.0.1:${await freePort()}`,
    ...endpoints.map(({ address }) => `--endpoint=${address}`),
  ]);
  return {
    pid: query.pid,
    url: query.url,
    pids: [...receivers, query].map(({ pid }) => pid),
    receivers: receivers.map(({ write }) => write),
    stop: async () => {
      await Promise.all([query, ...receivers].map((it) => it.stop()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
