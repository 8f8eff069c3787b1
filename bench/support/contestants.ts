import type { Contestant } from './beside.ts';
import type { Built } from './bundle.ts';
import { python, telegraf } from './peers.ts';

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
