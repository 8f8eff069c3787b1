import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSidecar } from '../../tools/build/bundle.ts';
import type { Built } from './bundle.ts';
import { python, telegraf } from './peers.ts';
import type { Subject } from './side-by-side.ts';
import { requestOfSnapshot } from './simulated-run.ts';

export interface SubjectOptions {
  readonly built: Built;
  readonly file: string;
  readonly intervalMs: number;
}

/** Bare Node: nothing to load, nothing to do. */
export const bareNode = ({ built }: SubjectOptions): Subject => ({
  label: 'bare Node',
  sends: false,
  program: () => built.node(['-e', 'setInterval(() => undefined, 2 ** 30)']),
});

export const bridge = ({ built, file, intervalMs }: SubjectOptions): Subject => ({
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

/** What `installMinimalSender` installed: the least that any program on Node and its gRPC takes to send as much. */
export const minimalSender = ({ built, intervalMs }: SubjectOptions): Subject => ({
  label: 'Node that only sends',
  sends: true,
  program: ({ port }) =>
    built.node([senderFile(built)], {
      TARGET: `127.0.0.1:${port}`,
      REQUEST: requestFile(built),
      INTERVAL_MS: String(intervalMs),
    }),
});

const senderFile = ({ folder }: Built) => join(folder, 'app', 'minimal-sender.cjs');
const requestFile = ({ folder }: Built) => join(folder, 'request.bin');

/** Bundles the minimal sender as the bridge is bundled, and writes the request that it sends. */
export async function installMinimalSender(built: Built): Promise<void> {
  await buildSidecar(join(built.folder, 'app'), 'bench/peers/minimal-sender.ts');
  writeFileSync(requestFile(built), await requestOfSnapshot());
}

/** Programs of others that read the same file; one that is not on this machine takes no part. */
export const peers = ({ built, file, intervalMs }: SubjectOptions): readonly Subject[] =>
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
