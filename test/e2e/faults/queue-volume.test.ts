import { readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import type { Receiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../../support/bridge.ts';
import { until } from '../../support/until.ts';
import { mountVolume } from '../../support/volume.ts';

/** A bridge without a Collector that has read losses 1, 2, 3 and so on, each beside a learning rate that is the same. */
async function duringOutage(count: number, root: string, environment = {}) {
  const bridge = await startBridge({
    environment: { EXPORT_QUEUE_DIR: root, OTEL_METRIC_EXPORT_INTERVAL: '50', ...environment },
  });
  bridge.receiver.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
  for (let step = 1; step <= count; step++)
    await bridge.write({ metrics: { training_loss: step, learning_rate: step } });
  const warnings = () => bridge.log.filter(({ message }) => message.includes('queue cannot be written'));
  return { ...bridge, warnings };
}

const valuesOf = (receiver: Receiver, metric: string) => receiver.points(metric).map(({ value }) => value);
const lossesOf = (receiver: Receiver) => [...new Set(valuesOf(receiver, 'ml.training.loss'))];
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Bytes on the disk. */
const largestFile = (root: string) =>
  Math.max(
    ...readdirSync(root, { recursive: true, encoding: 'utf8' })
      .map((name) => statSync(join(root, name)))
      .filter((it) => it.isFile())
      .map(({ blocks }) => blocks * 512),
  );

it('a queue folder on a volume that is full is one warning, and memory carries on', async () => {
  const root = mountVolume('mode=777');
  const { receiver, warnings } = await duringOutage(400, root);
  await until(() => warnings().length > 0, 'the warning');
  // A request takes a block or two, so one block may be left.
  const { bavail, bsize } = statfsSync(root);
  expect(bavail * bsize).toBeLessThan(largestFile(root));
  receiver.reply(() => ({ status: 'ok' }));
  await receiver.waitFor(() => lossesOf(receiver).length === 400, 'all of them');
  expect(lossesOf(receiver)).toEqual(upTo(400));
  expect(warnings()).toMatchObject([{ level: 'warn', path: root, reason: 'ENOSPC' }]);
});

it('what neither the volume nor memory has room for is lost and counted, and nothing wrong takes its place', async () => {
  const { receiver, warnings, stop } = await duringOutage(400, mountVolume('mode=777'), {
    EXPORT_QUEUE_SIZE: '10',
  });
  receiver.reply(() => ({ status: 'ok' }));
  const dropped = () => {
    const latest = new Map(
      receiver.points('ml.bridge.dropped').map(({ attributes, value }) => [attributes.reason, Number(value)]),
    );
    return [...latest.values()].reduce((sum, value) => sum + value, 0);
  };
  await receiver.waitFor(() => lossesOf(receiver).includes(400), 'the last');
  await stop();
  const losses = lossesOf(receiver);
  expect(dropped() + losses.length).toBe(400);
  expect(dropped()).toBeGreaterThan(0);
  expect(losses.filter((loss) => !upTo(400).includes(Number(loss)))).toEqual([]);
  expect(valuesOf(receiver, 'ml.training.learning_rate')).toEqual(valuesOf(receiver, 'ml.training.loss'));
  expect(warnings()).toMatchObject([{ reason: 'ENOSPC' }]);
});

it('a queue folder on a volume that is read-only is one warning, and memory carries on', async () => {
  const root = mountVolume('ro');
  const { receiver, warnings } = await duringOutage(50, root);
  receiver.reply(() => ({ status: 'ok' }));
  await receiver.waitFor(() => lossesOf(receiver).length === 50, 'all of them');
  expect(lossesOf(receiver)).toEqual(upTo(50));
  expect(warnings()).toMatchObject([{ level: 'warn', path: root, reason: 'EROFS' }]);
});
