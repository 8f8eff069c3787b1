import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { fileContent } from '../../src/commands/simulate/content.ts';
import { trainingSteps } from '../../src/commands/simulate/steps.ts';
import type { Config } from '../../src/config/bridge.ts';
import { applySnapshot } from '../../src/run/advance.ts';
import type { Run } from '../../src/run/run.ts';
import { parseMetricsFile } from '../../src/snapshot/interpret.ts';
import { createRunInstruments } from '../../src/telemetry/instruments.ts';
import { createInternalMetrics } from '../../src/telemetry/internal-metrics.ts';
import { bridgeResource } from '../../src/telemetry/resource.ts';
import { configOf } from '../../test/support/config.ts';
import { snapshotOf } from '../../test/support/snapshot.ts';

export const version = '0.0.0';
export const templateJob = 'training-job';

/** The job of each sidecar. */
export const jobOf = (sidecar: number) => `${templateJob}-${String(sidecar).padStart(5, '0')}`;

const podConfig = configOf();

/** As the environment that `inject` writes makes it. */
export const resourceOf = (pod: string) => {
  const resourceAttributes = {
    'k8s.namespace.name': 'ml-training',
    'k8s.pod.name': pod,
    'k8s.container.name': 'otel-metrics-bridge',
    'k8s.node.name': 'node-1',
  };
  return bridgeResource({ ...podConfig, resourceAttributes }, pod, version);
};

/** A training run of which every collection is one snapshot further, and a whole one has what the bridge says of itself. */
export function createRun(
  histograms: Config['histogramAggregation'],
  writeIntervalMs: number,
): (isWhole: boolean) => Promise<ScopeMetrics[]> {
  const settings = {
    jobId: templateJob,
    modelName: 'resnet-50',
    dataset: 'imagenet',
    totalEpochs: 1_000,
    batchesPerEpoch: 1_000,
    seed: 1,
    metricsFilePath: podConfig.metricsFilePath,
    writeIntervalMs,
  };
  const steps = trainingSteps(settings);
  const startTimeMs = Date.now();
  const resource = resourceOf(templateJob);
  const instruments = createRunInstruments({ resource, histogramAggregation: histograms, version });
  const self = createInternalMetrics(resource, version, {
    backlog: () => 0,
    fileAgeMs: () => 0,
    staleAfterMs: () => 300_000,
    logLinesDropped: () => 0,
    spansRejected: () => undefined,
  });
  let run: Run | undefined;
  return async (isWhole) => {
    const { value: step } = steps.next();
    if (step === undefined) throw new RangeError('the run is over');
    const unixMs = Date.now();
    const content = fileContent({ step, status: 'running', startTimeMs, timeMs: unixMs }, settings);
    const snapshot = snapshotOf(parseMetricsFile(Buffer.from(content)));
    run = applySnapshot(
      run,
      snapshot,
      { unixMs, monotonicMs: performance.now(), fileAgeMs: 0 },
      podConfig,
    ).run;
    instruments.setRun(run);
    instruments.record(snapshot);
    self.polled('ok');
    self.exported({ status: 'success' }, unixMs);
    const metrics = await instruments.collect(isWhole ? 'full' : 'changes');
    return isWhole ? [...metrics, ...(await self.collect())] : metrics;
  };
}

/** What the bridge sends of a snapshot between two whole collections, serialized. */
export async function requestOfSnapshot(): Promise<Uint8Array> {
  const collect = createRun('explicit_bucket_histogram', 1_000);
  await collect(true);
  const metrics = { resource: resourceOf(templateJob), scopeMetrics: await collect(false) };
  const request = ProtobufMetricsSerializer.serializeRequest(metrics);
  if (request === undefined) throw new TypeError('metrics could not be serialized');
  return request;
}
