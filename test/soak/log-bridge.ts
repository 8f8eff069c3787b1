// One bridge, as the image runs it, that follows a log. Started by main.ts, which appends a tenth of the records each time
// the last one was measured.
import { parseArgs } from 'node:util';
import { runBridge } from '../../src/bridge/bridge.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createLogger } from '../../src/common/logger.ts';
import { readConfig } from '../../src/config/bridge.ts';
import { measure, tell } from './measure.ts';

const { values } = parseArgs({
  options: { file: { type: 'string' }, endpoint: { type: 'string' }, snapshots: { type: 'string' } },
});
const total = Number(values.snapshots);
/** What main.ts appends at a time. */
const tenth = Math.ceil(total / 10);
/** After the last record of a burst. What was queued is sent then, so that it does not count as growth. */
const idleMs = 1_500;

/** A function, because what is bundled into CommonJS cannot wait at its top level. */
async function soak(): Promise<void> {
  const reading = readConfig({
    METRICS_FILE_PATH: values.file,
    OTEL_EXPORTER_OTLP_ENDPOINT: values.endpoint,
    METRICS_START: 'beginning',
    LOG_LEVEL: 'critical',
  });
  if (reading.status === 'invalid') throw new Error(JSON.stringify(reading.problems));
  const controller = new AbortController();
  let taken = 0;
  let measured = 0;
  let lastReadMs = 0;
  const { undelivered, exports } = await runBridge({
    config: { ...reading.config, collectionIntervalMs: 20, exportMinIntervalMs: 0, exportIntervalMs: 250 },
    log: createLogger('critical'),
    clock: systemClock,
    signal: controller.signal,
    hostName: 'soak',
    version: '0.0.0',
    onPoll({ outcome, moment, more }) {
      if (outcome.status === 'ok') taken += outcome.snapshots.length;
      if (outcome.status === 'ok' || more) lastReadMs = moment.monotonicMs;
      const isRead = taken > measured && taken >= Math.min(total, measured + tenth);
      if (!isRead || moment.monotonicMs - lastReadMs < idleMs) return;
      measured = taken;
      measure(taken);
      if (taken >= total) controller.abort();
    },
  });
  tell({ status: 'ended', taken, lost: undelivered + (exports.dropped ?? 0) });
  process.disconnect();
}

soak();
