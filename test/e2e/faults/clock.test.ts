import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import type { Point } from '../../../src/commands/demo/receiver/point.ts';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { createSettableClock } from '../../support/clock.ts';
import { exampleText, replaceFile, temporaryFolder } from '../../support/file.ts';
import { startProcess } from '../../support/process.ts';
import { until } from '../../support/until.ts';
import { startCollector } from '../collector.ts';

const hourSeconds = 3_600;

function setUp(endpoint: string, environment: Readonly<Record<string, string>> = {}) {
  const clock = createSettableClock();
  const file = join(temporaryFolder(), 'current.json');
  const bridge = startProcess({
    environment: {
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.05',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      ...clock.environment,
      ...environment,
    },
  });
  const write = (step: number, top = {}, metrics = {}, job = {}) =>
    replaceFile(
      file,
      exampleText({ job, metrics: { epoch: 1, batch_number: step, training_loss: step, ...metrics }, top }),
    );
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

it('points have the time of the system clock, and of one that runs at half the speed after it was set back', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const { clock, write } = setUp(receiver.endpoint);
  const timeOf = async (step: number) => {
    const last = () => receiver.points('ml.training.loss').at(-1);
    await receiver.waitFor(() => last()?.value === step, `loss ${step}`);
    return last()?.timeMs ?? 0;
  };
  for (const [step, offsetSeconds] of [
    [1, 0],
    [2, hourSeconds],
  ] as const) {
    clock.set(offsetSeconds);
    const beforeMs = Date.now() + offsetSeconds * 1000;
    write(step);
    const timeMs = await timeOf(step);
    expect(timeMs).toBeGreaterThanOrEqual(beforeMs);
    expect(timeMs).toBeLessThanOrEqual(Date.now() + offsetSeconds * 1000);
  }
  clock.set(0);
  write(3);
  const backMs = await timeOf(3);
  const startMs = performance.now();
  const reached = () => (receiver.points('ml.training.loss').at(-1)?.timeMs ?? 0) >= backMs + 2_000;
  await receiver.waitFor(reached, 'two seconds by the clock of the points', 20_000);
  // Four seconds, but for how long the third value was under way.
  expect(performance.now() - startMs).toBeGreaterThan(3_000);
});

it('a run that begins after the clock was set back, without start_time, starts after the points of the one before', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const { clock, write } = setUp(receiver.endpoint);
  const writeEpoch = async (epoch: number) => {
    write(1, {}, { epoch, training_loss: epoch }, { start_time: undefined });
    await receiver.waitFor(
      () => receiver.points('ml.training.loss').at(-1)?.value === epoch,
      `epoch ${epoch}`,
    );
  };
  const counts = () => receiver.points('ml.training.batch_number');
  await writeEpoch(2);
  clock.set(-hourSeconds);
  await writeEpoch(1);
  const [first, second, ...others] = new Set(counts().map(({ startTimeMs }) => startTimeMs));
  expect(others).toEqual([]);
  const times = counts().filter(({ startTimeMs }) => startTimeMs === first);
  expect(second).toBeGreaterThanOrEqual(Math.max(...times.map(({ timeMs }) => timeMs)));
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

it.each([
  ['memory', 6, () => ({})],
  // The folder has only the one that blocks; the second is in memory.
  ['the queue folder', 2, () => ({ EXPORT_QUEUE_DIR: temporaryFolder(), EXPORT_QUEUE_SIZE: '2' })],
])(
  'a snapshot in %s that is answered with "later" for 10 minutes lets the newer ones pass, and is not lost',
  async (_where, count, environmentOf) => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const isFirst = ({ metric, value }: Point) => metric === 'ml.training.loss' && value === 1;
    let blocked: 'all' | 'first' | 'none' = 'all';
    receiver.reply(({ points }) =>
      blocked === 'all' || (blocked === 'first' && points.some(isFirst))
        ? { status: 'error', code: status.UNAVAILABLE }
        : { status: 'ok' },
    );
    const environment = environmentOf();
    const { clock, bridge, write } = setUp(receiver.endpoint, { LOG_LEVEL: 'debug', ...environment });
    // A new epoch with each, which the log shows when it was read.
    const writeLoss = (loss: number) => write(1, {}, { epoch: loss, training_loss: loss });
    const losses = Array.from({ length: count }, (_, index) => index + 1);
    for (const loss of losses) {
      writeLoss(loss);
      if (loss > 1)
        await until(
          () => bridge.log.some(({ message, epoch }) => message === 'Epoch ended' && epoch === loss - 1),
          `loss ${loss} to be read`,
        );
      else await bridge.said('Training run began');
    }
    const delivered = () => [...new Set(receiver.points('ml.training.loss').map(({ value }) => value))];
    blocked = 'first';
    await receiver.waitFor(() => receiver.requests.length > 3, 'some attempts');
    expect(delivered()).toEqual([]);
    // Less than 10 minutes, however long the attempts before took.
    clock.set(0, 500);
    const seen = receiver.requests.length;
    await receiver.waitFor(() => receiver.requests.length > seen + 3, 'some attempts');
    expect(delivered()).toEqual([]);
    // A request that is under way meets its deadline at once, which is no answer: the 10 minutes begin again.
    for (let jump = 1; jump <= 10 && delivered().length === 0; jump++) {
      const before = receiver.requests.length;
      clock.set(0, 500 + jump * 601);
      const tried = () => receiver.requests.length > before + 20;
      await receiver.waitFor(() => delivered().length > 0 || tried(), 'the newer ones, or many attempts');
    }
    await receiver.waitFor(() => delivered().length === losses.length - 1, 'the newer ones');
    expect(delivered()).toEqual(losses.slice(1));
    writeLoss(count + 1);
    await receiver.waitFor(() => delivered().includes(count + 1), 'a later one');
    expect(delivered()).not.toContain(1);
    blocked = 'none';
    await receiver.waitFor(() => delivered().includes(1), 'the first');
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    expect(bridge.log.at(-1)).toMatchObject({ message: 'ml-metrics-bridge ended', undelivered: 0 });
    const times = receiver.points('ml.training.loss').map(({ timeMs }) => timeMs);
    expect(times.length, 'each is delivered once').toBe(new Set(times).size);
  },
);
