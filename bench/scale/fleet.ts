import { setTimeout as sleep } from 'node:timers/promises';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { runAttributes } from '../../src/catalogue/metrics.ts';
import type { Config } from '../../src/config/bridge.ts';
import { exportersOf } from '../../src/otlp/exporter.ts';
import { metricsRequest, metricsSignal } from '../../src/otlp/metrics-signal.ts';
import { stamp } from '../../src/telemetry/stamp.ts';
import { configOf } from '../../test/support/config.ts';
import { createRun, jobOf, resourceOf, version } from '../support/simulated-run.ts';

/** The snapshots of one request are this far apart. */
const snapshotMs = 1_000;

/** How many times a second requests are sent, each time those of a part of the sidecars. */
const ticksPerSecond = 10;

/** Every so many snapshots, a bridge adds the state of the run and its own metrics. */
const snapshotsPerFull = 15;

export interface FleetOptions {
  readonly sidecars: number;
  /** Snapshots in each request: 1 as with EXPORT_MIN_INTERVAL=0, 5 as with the default. */
  readonly together: number;
  /** Of all sidecars together, whose turn it is one after the other. */
  readonly snapshotsPerSecond: number;
  /** What they share: a connection each would be sockets, and they are not what is measured. */
  readonly connections: number;
  /** The Collectors; connections are spread over them. */
  readonly endpoints: readonly string[];
  readonly histograms: Config['histogramAggregation'];
  readonly compression: Config['compression'];
}

export interface Fleet {
  /** Requests that were acknowledged, and snapshots that were acknowledged and that failed, so far. */
  readonly count: { readonly requests: number; readonly acknowledged: number; readonly failed: number };
  /** Sends one snapshot of each sidecar with all its series, as fast as they are acknowledged. */
  introduce(): Promise<void>;
  /** From now on, sends at the rate. */
  start(): void;
  /** Sends no more, and waits for what is under way. */
  stop(): Promise<void>;
}

/**
 * Many sidecars in one process. Their requests are the bridge's own, made from one training run by its own code, each
 * with the identity of a pod and a job. The sidecars of one tick share its values.
 */
export function createFleet(options: FleetOptions): Fleet {
  const { sidecars, together, snapshotsPerSecond, connections, endpoints, histograms, compression } = options;
  const exporters = Array.from({ length: connections }, (_, at) =>
    exportersOf(metricsSignal, {
      ...configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoints[at % endpoints.length] as string }),
      compression,
      version,
    })(),
  );
  const collect = createRun(histograms, snapshotMs);
  const startedUnixMs = Date.now();
  const count = { requests: 0, acknowledged: 0, failed: 0 };
  /** One request at a time on a connection, as of a bridge; what is late goes out later. */
  const lastOf = exporters.map(() => Promise.resolve());
  let stopped = false;
  let running = Promise.resolve();

  async function send(sidecar: number, snapshots: readonly ScopeMetrics[][]): Promise<void> {
    if (stopped) return;
    const exporter = exporters[sidecar % connections] as (typeof exporters)[number];
    const resource = resourceOf(`${jobOf(sidecar)}-x7k2p`);
    const requests = snapshots.map((scopeMetrics) =>
      metricsRequest('snapshot', { resource, scopeMetrics: ofSidecar(sidecar, scopeMetrics) }),
    );
    const outcome = await exporter.export(requests);
    if (outcome.status !== 'success') count.failed += snapshots.length;
    else {
      count.requests += 1;
      count.acknowledged += snapshots.length;
    }
  }

  function enqueue(sidecar: number, snapshots: readonly ScopeMetrics[][]): void {
    const connection = sidecar % connections;
    lastOf[connection] = (lastOf[connection] as Promise<void>).then(() => send(sidecar, snapshots));
  }

  /** The snapshots of one request, each a second after the one before. */
  async function readSnapshots(size: number, isFull: boolean): Promise<ScopeMetrics[][]> {
    const snapshots: ScopeMetrics[][] = [];
    for (let at = 0; at < size; at++) {
      const timeMs = Date.now() - (size - 1 - at) * snapshotMs;
      snapshots.push(stamp(await collect(isFull && at === 0), timeMs, startedUnixMs - together * snapshotMs));
    }
    return snapshots;
  }

  async function run(): Promise<void> {
    const startedMs = performance.now();
    const requestsPerTick = snapshotsPerSecond / together / ticksPerSecond;
    let sidecar = 0;
    for (let tick = 0; !stopped; tick++) {
      await sleep(Math.max(0, startedMs + (tick * 1_000) / ticksPerSecond - performance.now()));
      const snapshots = await readSnapshots(together, tick % (snapshotsPerFull / together) === 0);
      for (; sidecar < (tick + 1) * requestsPerTick; sidecar++) enqueue(sidecar % sidecars, snapshots);
    }
  }

  return {
    count,
    async introduce() {
      const snapshots = await readSnapshots(1, true);
      for (let sidecar = 0; sidecar < sidecars; sidecar++) enqueue(sidecar, snapshots);
      await Promise.all(lastOf);
    },
    start() {
      running = run();
    },
    async stop() {
      stopped = true;
      await running;
      await Promise.all(lastOf);
      for (const exporter of exporters) exporter.shutdown();
    },
  };
}

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
