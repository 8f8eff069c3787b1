import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { createSettableClock } from '../../support/clock.ts';
import { exampleText, replaceFile, temporaryFolder } from '../../support/file.ts';
import { startProcess } from '../../support/process.ts';
import { until } from '../../support/until.ts';
import { startCollector } from '../collector.ts';

const hourSeconds = 3_600;

function setUp(endpoint: string) {
  const clock = createSettableClock();
  const file = join(temporaryFolder(), 'current.json');
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.05',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      ...clock.environment,
    },
  });
  const write = (step: number, top = {}) =>
    replaceFile(file, exampleText({ metrics: { epoch: 1, batch_number: step, training_loss: step }, top }));
  return { clock, bridge, write };
}

it('a clock that is set back an hour freezes no value in the Collector', async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const { clock, write } = setUp(collector.endpoint);
  const shown = async (step: number) =>
    until(async () => {
      const text = await (await fetch(collector.scrapeUrl)).text();
      return (
        new RegExp(`^ml_training_loss\\{.*\\} ${step}$`, 'm').test(text) &&
        new RegExp(`^ml_training_batch_number_total\\{.*\\} ${step}$`, 'm').test(text)
      );
    }, `step ${step}`);
  write(1);
  await shown(1);
  clock.set(-hourSeconds);
  write(2);
  await shown(2);
  clock.set(0);
  write(3);
  await shown(3);
});

it('and no point is older than the one before, nor than its start', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const { clock, write } = setUp(receiver.endpoint);
  const arrived = (step: number) =>
    receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === step, `loss ${step}`);
  write(1);
  await arrived(1);
  clock.set(-hourSeconds);
  for (const step of [2, 3]) {
    write(step);
    await arrived(step);
  }
  const points = receiver.points('ml.training.batch_number');
  const times = points.map(({ timeMs }) => timeMs);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(points.map(({ startTimeMs }) => startTimeMs)).size).toBe(1);
  expect(points.filter(({ startTimeMs = 0, timeMs }) => startTimeMs > timeMs)).toEqual([]);
});

it('10 minutes after the end of a run, a bridge of which SIDECAR_MODE is not set says so once', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const { clock, bridge, write } = setUp(receiver.endpoint);
  write(1, { status: 'completed' });
  await bridge.said('Training run completed');
  const warnings = () => bridge.log.filter(({ message }) => message.includes('SIDECAR_MODE=container'));
  expect(warnings()).toEqual([]);
  clock.set(600, 600);
  await until(() => warnings().length > 0, 'the warning');
  const seen = receiver.requests.length;
  await receiver.waitFor(() => receiver.requests.length > seen + 3, 'heartbeats');
  expect(warnings()).toHaveLength(1);
});
