import { globSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';
import { startProcess } from '../../support/process.ts';
import { until } from '../../support/until.ts';
import { startBackend, untilStored } from '../faults/backend.ts';
import { startWriter } from './writer.ts';

const steps = 360;
const secondsPerStep = 0.5;

it('tensorboardX with its default buffering: no error in three minutes, and every value is stored at its own time', {
  timeout: 400_000,
}, async () => {
  const backend = await startBackend();
  const folder = join(temporaryFolder(), 'bert');
  mkdirSync(folder);
  const writer = startWriter('tensorboardx_writer.py', folder, String(steps), String(secondsPerStep));
  const files = () => globSync(join(folder, 'events.*'));
  await until(() => files().length > 0, 'the event file', 60_000);
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: folder,
      OTEL_EXPORTER_OTLP_ENDPOINT: backend.endpoint,
      COLLECTION_INTERVAL: '1',
      LOG_LEVEL: 'debug',
    },
  });
  await bridge.said('ml-metrics-bridge started');
  await until(() => writer.written().length >= 20, 'ten seconds of training', 60_000);
  // It has written nothing yet.
  expect(files().map((path) => statSync(path).size)).toEqual([0]);
  await writer.ended;
  await untilStored(backend, 'ml_training_batch_number_total', steps);
  bridge.child.kill('SIGTERM');
  await bridge.ended;
  const [series, ...others] = await backend.stored('ml_training_loss');
  expect(others).toEqual([]);
  const stored = new Map(series?.samples.map(({ timeMs, value }) => [timeMs, value]));
  const written = writer.written();
  expect(written).toHaveLength(steps);
  const wrong = written.filter(
    ({ time = 0, fields }) => stored.get(time) !== Math.fround(64 / Number(fields.step)),
  );
  expect(wrong).toEqual([]);
  for (const selector of [
    'ml_bridge_snapshots_total{outcome!~"ok|unchanged|missing|empty"}',
    'ml_bridge_records_skipped_total',
  ]) {
    const counts = (await backend.stored(selector)).flatMap(({ samples }) => samples);
    expect(counts.filter(({ value }) => value !== 0)).toEqual([]);
  }
  expect(bridge.log.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
});
