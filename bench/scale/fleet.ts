import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { runAttributes } from '../../src/catalogue/metrics.ts';
import type { Config } from '../../src/config/bridge.ts';
import { exportersOf } from '../../src/otlp/exporter.ts';
import { metricsRequest, metricsSignal } from '../../src/otlp/metrics-signal.ts';
import { configOf } from '../../test/support/config.ts';
import { createRun, resourceOf, templateJob, version } from '../support/simulated-run.ts';

/** Each sidecar sends one snapshot in this time. */
export const periodMs = 10_000;

/** How many times in a period requests are sent, each time those of a part of the sidecars. */
const slots = 100;

export interface FleetOptions {
  readonly sidecars: number;
  /** What they share: a connection each would be sockets, and they are not what is measured. */
  readonly connections: number;
  /** The Collectors; connections are spread over them. */
  readonly endpoints: readonly string[];
  readonly histograms: Config['histogramAggregation'];
  readonly compression: Config['compression'];
}

export interface Fleet {
  /** Requests so far that were acknowledged, and that failed. */
  readonly count: { readonly acknowledged: number; readonly failed: number };
  stop(): Promise<void>;
}

/**
 * Many sidecars in one process. Their requests are the bridge's own, made from one training run by its own code, each
 * with the identity of a pod and a job. The sidecars of one slot share its values.
 */
export function startFleet({
  sidecars,
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
  const collect = createRun(histograms, periodMs);
  const count = { acknowledged: 0, failed: 0 };
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  async function send(sidecar: number, scopeMetrics: ScopeMetrics[]): Promise<void> {
    const exporter = exporters[sidecar % connections] as (typeof exporters)[number];
    const request = metricsRequest('snapshot', ofSidecar(sidecar, scopeMetrics));
    const outcome = await exporter.export([request]);
    if (outcome.status === 'success') count.acknowledged += 1;
    else count.failed += 1;
  }

  async function run(): Promise<void> {
    const started = performance.now();
    for (let tick = 0; !stopped; tick++) {
      await sleep(Math.max(0, started + (tick * periodMs) / slots - performance.now()));
      const scopeMetrics = await collect(true);
      for (let sidecar = tick % slots; sidecar < sidecars; sidecar += slots) {
        const sending = send(sidecar, scopeMetrics);
        underWay.add(sending);
        void sending.finally(() => underWay.delete(sending));
      }
    }
  }

  const running = run();
  return {
    count,
    async stop() {
      stopped = true;
      await running;
      await Promise.all(underWay);
      for (const exporter of exporters) exporter.shutdown();
    },
  };
}

function ofSidecar(sidecar: number, scopeMetrics: ScopeMetrics[]): ResourceMetrics {
  const job = `${templateJob}-${String(sidecar).padStart(5, '0')}`;
  const named = <P extends { readonly attributes: object }>(point: P): P =>
    runAttributes.jobId in point.attributes
      ? { ...point, attributes: { ...point.attributes, [runAttributes.jobId]: job } }
      : point;
  return {
    resource: resourceOf(`${job}-x7k2p`),
    scopeMetrics: scopeMetrics.map(({ scope, metrics }) => ({
      scope,
      metrics: metrics.map(
        (metric) => ({ ...metric, dataPoints: metric.dataPoints.map(named) }) as typeof metric,
      ),
    })),
  };
}
