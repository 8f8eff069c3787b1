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

export interface BridgeOptions extends SubjectOptions {
  readonly label?: string;
  /** Seconds; absent for the default. */
  readonly exportMinInterval?: string;
}

export const bridge = ({
  built,
  file,
  intervalMs,
  label = 'the bridge',
  exportMinInterval,
}: BridgeOptions): Subject => ({
  label,
  sends: true,
  program: ({ endpoint }) => ({
    ...built.bridge,
    environment: {
      ...built.bridge.environment,
      METRICS_FILE_PATH: file,
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      COLLECTION_INTERVAL: String(intervalMs / 1_000),
      HEALTH_PORT: '0',
      ...(exportMinInterval !== undefined && { EXPORT_MIN_INTERVAL: exportMinInterval }),
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

/** Exports every second, or every read if those are rarer, and every five seconds. */
const exportIntervals = [1, 5];

/** Programs of others that read the same file; one that is not on this machine takes no part. */
export function peers({ built, file, intervalMs }: SubjectOptions): readonly Subject[] {
  const intervalSeconds = intervalMs / 1_000;
  const { folder } = built;
  const programs = [
    ['Telegraf, flush', telegraf],
    ['OpenTelemetry SDK for Python, export', python],
  ] as const;
  return programs.flatMap(([name, peer]) =>
    exportIntervals
      .filter((seconds) => seconds === exportIntervals[0] || seconds > intervalSeconds)
      .map((seconds) => ({ exportSeconds: Math.max(seconds, intervalSeconds) }))
      .map(({ exportSeconds }) => ({
        label: `${name} every ${exportSeconds} s`,
        sends: true,
        program: ({ port }) =>
          peer({ file, target: `127.0.0.1:${port}`, intervalSeconds, exportSeconds, folder }),
      })),
  );
}
