import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSidecar } from '../../tools/build/bundle.ts';
import type { Contestant } from './beside.ts';
import type { Built } from './bundle.ts';
import { python, telegraf } from './peers.ts';
import { requestOfSnapshot } from './simulated-run.ts';

export interface ContestantOptions {
  readonly built: Built;
  readonly file: string;
  readonly intervalMs: number;
}

/** Bare Node: nothing to load, nothing to do. */
export const bareNode = ({ built }: ContestantOptions): Contestant => ({
  label: 'bare Node',
  sends: false,
  program: () => built.node(['-e', 'setInterval(() => undefined, 2 ** 30)']),
});

export const theBridge = ({ built, file, intervalMs }: ContestantOptions): Contestant => ({
  label: 'the bridge',
  sends: true,
  program: ({ endpoint }) => ({
    ...built.bridge,
    environment: {
      ...built.bridge.environment,
      METRICS_FILE_PATH: file,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      COLLECTION_INTERVAL: String(intervalMs / 1_000),
      HEALTH_PORT: '0',
    },
  }),
});

/** What `installCaller` installed: the least that any program on Node and its gRPC takes to send as much. */
export const caller = ({ built, intervalMs }: ContestantOptions): Contestant => ({
  label: 'Node that does no more than send',
  sends: true,
  program: ({ port }) =>
    built.node([callerFile(built)], {
      TARGET: `127.0.0.1:${port}`,
      REQUEST: requestFile(built),
      INTERVAL_MS: String(intervalMs),
    }),
});

const callerFile = ({ folder }: Built) => join(folder, 'app', 'caller.cjs');
const requestFile = ({ folder }: Built) => join(folder, 'request.bin');

/** Bundles the caller as the bridge is, and writes what it sends. */
export async function installCaller(built: Built): Promise<void> {
  await buildSidecar(join(built.folder, 'app'), 'bench/peers/caller.ts');
  writeFileSync(requestFile(built), await requestOfSnapshot());
}

/** Programs of others that read the same file; one that is not on this machine takes no part. */
export const peers = ({ built, file, intervalMs }: ContestantOptions): readonly Contestant[] =>
  (
    [
      ['Telegraf', telegraf],
      ['OpenTelemetry SDK for Python', python],
    ] as const
  ).map(([label, peer]) => ({
    label,
    sends: true,
    program: ({ port }) =>
      peer({ file, target: `127.0.0.1:${port}`, intervalSeconds: intervalMs / 1_000, folder: built.folder }),
  }));
