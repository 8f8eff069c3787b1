import { setTimeout as sleep } from 'node:timers/promises';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { runAttributes } from '../../src/catalogue/metrics.ts';
import type { Config } from '../../src/config/bridge.ts';
import { exportersOf } from '../../src/otlp/exporter.ts';
import { metricsRequest, metricsSignal } from '../../src/otlp/metrics-signal.ts';
import { stamp } from '../../src/telemetry/stamp.ts';
import { configOf } from '../../test/support/config.ts';
import { createRun, resourceOf, templateJob, version } from '../support/simulated-run.ts';

/** Each sidecar reads a snapshot in this time. */
const snapshotMs = 1_000;

/** How many times a second requests are sent, each time those of a part of the sidecars. */
const ticksPerSecond = 10;

/** Every so many snapshots, a bridge adds the state of the run and its own metrics. */
const snapshotsPerFull = 15;

export interface FleetOptions {
  readonly sidecars: number;
  /** Snapshots in each request: 1 as with EXPORT_MIN_INTERVAL=0, 5 as with the default. */
  readonly together: number;
  /** What they share: a connection each would be sockets, and they are not what is measured. */
  readonly connections: number;
  /** The Collectors; connections are spread over them. */
  readonly endpoints: readonly string[];
  readonly histograms: Config['histogramAggregation'];
  readonly compression: Config['compression'];
}

export interface Fleet {
  /** Requests so far. */
  readonly count: { readonly acknowledged: number; readonly failed: number };
  /** Sends no more, and waits for what is under way. */
  stop(): Promise<void>;
}

/**
 * Many sidecars in one process. Their requests are the bridge's own, made from one training run by its own code, each
 * with the identity of a pod and a job. The sidecars of one slot share its values.
 */
export function startFleet({
  sidecars,
  together,
  connections,
  endpoints,
  histograms,
  compression,
}: FleetOptions): Fleet {
  const exporters = Array.from({ length: connections }, (_, at) =>
    exportersOf(metricsSignal, {
      ...configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoints[at % endpoints.length] as string }),
      compression,
      version,
    })(),
  );
  const collect = createRun(histograms, snapshotMs);
  const startedUnixMs = Date.now();
  const count = { acknowledged: 0, failed: 0 };
  /** One request at a time on a connection, as of a bridge; what is late goes out later. */
  const lastOf = exporters.map(() => Promise.resolve());
  const slots = together * ticksPerSecond;
  let stopped = false;

  async function send(sidecar: number, snapshots: readonly ScopeMetrics[][]): Promise<void> {
    if (stopped) return;
    const exporter = exporters[sidecar % connections] as (typeof exporters)[number];
    const resource = resourceOf(`${jobOf(sidecar)}-x7k2p`);
    const requests = snapshots.map((scopeMetrics) =>
      metricsRequest('snapshot', { resource, scopeMetrics: ofSidecar(sidecar, scopeMetrics) }),
    );
    const outcome = await exporter.export(requests);
    if (outcome.status === 'success') count.acknowledged += 1;
    else count.failed += 1;
  }

  /** The snapshots of one request, each a second after the one before. */
  async function readSnapshots(tick: number): Promise<ScopeMetrics[][]> {
    const snapshots: ScopeMetrics[][] = [];
    const isFull = Math.floor(tick / slots + tick) % (snapshotsPerFull / together) === 0;
    for (let at = 0; at < together; at++) {
      const timeMs = Date.now() - (together - 1 - at) * snapshotMs;
      snapshots.push(stamp(await collect(isFull && at === 0), timeMs, startedUnixMs - together * snapshotMs));
    }
    return snapshots;
  }

  async function run(): Promise<void> {
    const started = performance.now();
    for (let tick = 0; !stopped; tick++) {
      await sleep(Math.max(0, started + (tick * 1_000) / ticksPerSecond - performance.now()));
      const snapshots = await readSnapshots(tick);
      for (let sidecar = tick % slots; sidecar < sidecars; sidecar += slots) {
        const connection = sidecar % connections;
        lastOf[connection] = (lastOf[connection] as Promise<void>).then(() => send(sidecar, snapshots));
      }
    }
  }

  const running = run();
  return {
    count,
    async stop() {
      stopped = true;
      await running;
      await Promise.all(lastOf);
      for (const exporter of exporters) exporter.shutdown();
    },
  };
}

const jobOf = (sidecar: number) => `${templateJob}-${String(sidecar).padStart(5, '0')}`;

function ofSidecar(sidecar: number, scopeMetrics: readonly ScopeMetrics[]): ScopeMetrics[] {
  const named = <P extends { readonly attributes: object }>(point: P): P =>
    runAttributes.jobId in point.attributes
      ? { ...point, attributes: { ...point.attributes, [runAttributes.jobId]: jobOf(sidecar) } }
      : point;
  return scopeMetrics.map(({ scope, metrics }) => ({
    scope,
    metrics: metrics.map(
      (metric) => ({ ...metric, dataPoints: metric.dataPoints.map(named) }) as typeof metric,
    ),
  }));
}
