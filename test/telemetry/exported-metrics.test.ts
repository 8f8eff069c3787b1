import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  bridgeMetrics,
  globalStep,
  runAttributes,
  runMetrics,
  trainingMetrics,
} from '../../src/catalogue/metrics.ts';
import { startBridge } from '../support/bridge.ts';

/** 1 is in the range of every field. */
const everyField = Object.fromEntries([...trainingMetrics, globalStep].map(({ field }) => [field, 1]));

it('every metric of the catalogue is exported, and none beside them, with its attributes', async () => {
  const { write, receiver, stop } = await startBridge({
    environment: { OTEL_TRACES_EXPORTER: 'otlp', RANK: '0' },
    config: { exportIntervalMs: 20 },
  });
  // A field that is left out, because its counter has no series before.
  await write({ top: { error: 5 }, metrics: everyField });
  await receiver.waitFor(() => receiver.points('ml.bridge.last_success_time').length > 0, 'a second export');
  await stop();
  // Only a log has records that are skipped.
  const log = await startBridge({
    environment: { METRICS_FILE_FORMAT: 'jsonl', METRICS_START: 'beginning', RANK: '0' },
    config: { exportIntervalMs: 20 },
  });
  writeFileSync(log.file, '{"loss": 1, "step": 1}\nnot JSON\n');
  await log.receiver.waitFor(
    () => log.receiver.points('ml.bridge.records_skipped').length > 0,
    'the skipped record',
  );
  await log.stop();

  const documented = [...trainingMetrics, ...Object.values(runMetrics), ...Object.values(bridgeMetrics)];
  const exported = [...log.receiver.requests, ...receiver.requests].flatMap(({ points }) => points);
  expect(new Set(exported.map(({ metric }) => metric))).toEqual(new Set(documented.map(({ name }) => name)));
  const keysOfRun = [runAttributes.jobId, runAttributes.modelName, runAttributes.dataset, runAttributes.rank];
  for (const metric of documented) {
    const own = 'attributes' in metric ? metric.attributes : [];
    const keys = [...new Set([...(metric.name.startsWith('ml.bridge.') ? [] : keysOfRun), ...own])];
    // The last, because a state that was exported before the first snapshot is of no job.
    const last = exported.findLast((point) => point.metric === metric.name);
    expect(Object.keys(last?.attributes ?? {}).toSorted(), metric.name).toEqual(keys.toSorted());
  }
});
