import { setTimeout as sleep } from 'node:timers/promises';
import type { ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { runAttributes } from '../../src/catalogue.ts';
import { type Config, readConfig } from '../../src/config.ts';
import { encodeMetrics } from '../../src/otlp/collection.ts';
import { createConnection, metricsMethod } from '../../src/otlp/connection.ts';
import { advance } from '../../src/run/advance.ts';
import type { Run } from '../../src/run/run.ts';
import { fileContent } from '../../src/simulate/content.ts';
import { trainingSteps } from '../../src/simulate/steps.ts';
import { interpret } from '../../src/snapshot/interpret.ts';
import { parsePythonJson } from '../../src/snapshot/parse.ts';
import { createRunInstruments } from '../../src/telemetry/instruments.ts';
import { bridgeResource } from '../../src/telemetry/resource.ts';
import { createSelfTelemetry } from '../../src/telemetry/self.ts';

/** Each sidecar sends one snapshot in this time. */
export const periodMs = 10_000;

/** How many times in a period requests are sent, each time those of a part of the sidecars. */
const slots = 100;

const version = '0.0.0';

export interface FleetOptions {
  readonly sidecars: number;
  /** What they share: a connection each would be sockets, and they are not what is measured. */
  readonly connections: number;
  /** The Collectors; connections are spread over them. */
  readonly endpoints: readonly string[];
  readonly histograms: Config['histogramAggregation'];
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
export function startFleet({ sidecars, connections, endpoints, histograms }: FleetOptions): Fleet {
  const channels = Array.from({ length: connections }, (_, at) =>
    createConnection({
      ...bridgeConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoints[at % endpoints.length] as string }),
      method: metricsMethod,
      version,
    }),
  );
  const collect = createRun(histograms);
  const count = { acknowledged: 0, failed: 0 };
  const underWay = new Set<Promise<void>>();
  let stopped = false;

  async function send(sidecar: number, scopeMetrics: ScopeMetrics[]): Promise<void> {
    const channel = channels[sidecar % connections] as (typeof channels)[number];
    const answer = await channel.export(encodeMetrics(ofSidecar(sidecar, scopeMetrics)));
    if (answer.status === 'ok') count.acknowledged += 1;
    else count.failed += 1;
  }

  async function run(): Promise<void> {
    const started = performance.now();
    for (let tick = 0; !stopped; tick++) {
      await sleep(Math.max(0, started + (tick * periodMs) / slots - performance.now()));
      const scopeMetrics = await collect();
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
      for (const channel of channels) channel.close();
    },
  };
}

function bridgeConfig(environment: Readonly<Record<string, string>>): Config {
  const reading = readConfig(environment);
  if (reading.status === 'invalid') throw new Error(JSON.stringify(reading.problems));
  return reading.config;
}

const podConfig = bridgeConfig({});

/** As the environment that `inject` writes makes it. */
const resourceOf = (pod: string) => {
  const resourceAttributes = {
    'k8s.namespace.name': 'ml-training',
    'k8s.pod.name': pod,
    'k8s.container.name': 'otel-metrics-bridge',
    'k8s.node.name': 'node-1',
  };
  return bridgeResource({ ...podConfig, resourceAttributes }, pod, version);
};

const templateJob = 'training-job';

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

/** A training run of which every collection is one snapshot further. */
function createRun(histograms: Config['histogramAggregation']): () => Promise<ScopeMetrics[]> {
  const settings = {
    jobId: templateJob,
    modelName: 'resnet-50',
    dataset: 'imagenet',
    totalEpochs: 1_000,
    batchesPerEpoch: 1_000,
    seed: 1,
    metricsFilePath: podConfig.metricsFilePath,
    writeIntervalMs: periodMs,
  };
  const steps = trainingSteps(settings);
  const startTimeMs = Date.now();
  const resource = resourceOf(templateJob);
  const instruments = createRunInstruments(resource, histograms, version);
  const self = createSelfTelemetry(resource, version, () => 0);
  let run: Run | undefined;
  return async () => {
    const { value: step } = steps.next();
    if (step === undefined) throw new RangeError('the run is over');
    const unixMs = Date.now();
    const content = fileContent({ step, status: 'running', startTimeMs, timeMs: unixMs }, settings);
    const parsed = parsePythonJson(Buffer.from(content));
    const read = parsed.status === 'ok' ? interpret(parsed.value) : parsed;
    if (read.status !== 'ok') throw new Error(read.reason);
    run = advance(run, read.snapshot, { unixMs, uptimeMs: performance.now(), fileAgeMs: 0 }, podConfig).run;
    instruments.show(run);
    instruments.record(read.snapshot);
    self.polled('ok', 1);
    self.exported({ status: 'success' }, unixMs);
    return [...(await instruments.collect()), ...(await self.collect())];
  };
}
