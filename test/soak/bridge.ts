// One bridge, as the image runs it, and the job beside it: the next snapshot is written when the last one was read.
// Started by main.ts, which it tells what it measures of itself.
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runBridge } from '../../src/bridge/bridge.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { readConfig } from '../../src/config/bridge.ts';
import { measure, tell } from './measure.ts';

const { values } = parseArgs({
  options: { file: { type: 'string' }, endpoint: { type: 'string' }, snapshots: { type: 'string' } },
});
const { file = '', endpoint } = values;
const total = Number(values.snapshots);
const tenth = Math.ceil(total / 10);
const batchesPerEpoch = 100;

/** A file as a job writes it; `step` counts from 1. */
function content(step: number): string {
  const metrics = {
    epoch: Math.ceil(step / batchesPerEpoch),
    batch_number: ((step - 1) % batchesPerEpoch) + 1,
    training_loss: 1 / step,
    accuracy: 1 - 1 / step,
    processing_time_ms: 200 + (step % 100),
    samples_per_second: 100 + (step % 50),
    x_custom: step % 7,
  };
  const job_metadata = { job_id: 'soak', start_time: '2025-10-23T10:15:00Z', model_name: 'resnet-50' };
  // A bare NaN now and then, which takes the second pass of the parser.
  const text = JSON.stringify({ job_metadata, training_metrics: { ...metrics, validation_loss: 'V' } });
  return text.replace('"V"', step % 50 === 0 ? 'NaN' : '0.5');
}

/** A function, because what is bundled into CommonJS cannot wait at its top level. */
async function soak(): Promise<void> {
  const reading = readConfig({
    METRICS_FILE_PATH: file,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    LOG_LEVEL: 'critical',
  });
  if (reading.status === 'invalid') throw new Error(JSON.stringify(reading.problems));
  const controller = new AbortController();
  let step = 1;
  let taken = 0;
  writeFileSync(file, content(step));
  const { undelivered, exports } = await runBridge({
    // No wait between polls, and the bridge's own series are all there before a tenth is over. Snapshots that wait to be
    // sent together would differ in number from one measurement to the next.
    config: { ...reading.config, collectionIntervalMs: 0, exportMinIntervalMs: 0, exportIntervalMs: 250 },
    log: createLogger('critical'),
    clock: systemClock,
    signal: controller.signal,
    hostName: 'soak',
    version: '0.0.0',
    onPoll({ outcome }) {
      if (outcome.status === 'ok') {
        taken += 1;
        if (taken % tenth === 0) measure(taken);
        if (taken === total) return controller.abort();
      }
      // One poll without news at the beginning, because there is one at the end, and it has a series of its own.
      if ((outcome.status === 'ok') === (step === 1)) return;
      step += 1;
      writeFileSync(file, content(step));
    },
  });
  tell({ status: 'ended', taken, lost: undelivered + (exports.dropped ?? 0) });
  process.disconnect();
}

soak();
