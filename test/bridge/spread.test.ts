import { status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import type { Receiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';

/** As late as can be. */
const random = () => 0.99;

const losses = (receiver: Receiver) => receiver.points('ml.training.loss').map(({ value }) => value);

describe('what a bridge spreads, because others start or fail at the same moment', () => {
  it('is the first heartbeat, but neither a run that begins nor the last export', async () => {
    const environment = { OTEL_METRIC_EXPORT_INTERVAL: '30000', EXPORT_MIN_INTERVAL: '30' };
    const { receiver, polled, write, stop } = await startBridge({ environment, random });
    await polled(20);
    expect(receiver.requests).toEqual([]);
    await write({ metrics: { training_loss: 1 } });
    await receiver.waitFor(() => losses(receiver).includes(1), 'the first snapshot');
    await write({ metrics: { training_loss: 2 } });
    expect(await stop()).toMatchObject({ undelivered: 0 });
    expect(losses(receiver)).toContain(2);
  });

  it('is the heartbeat at the start, which comes within a third of the export interval', async () => {
    const startedMs = performance.now();
    const { receiver } = await startBridge({ environment: { OTEL_METRIC_EXPORT_INTERVAL: '1500' }, random });
    await receiver.waitFor(() => receiver.requests.length > 0, 'a heartbeat');
    expect(performance.now() - startedMs).toBeGreaterThan(490);
  });

  it('is the attempt after a failure', async () => {
    const attempts: number[] = [];
    const { receiver, write } = await startBridge({
      environment: { OTEL_METRIC_EXPORT_INTERVAL: '900' },
      random,
    });
    receiver.reply(() => {
      attempts.push(performance.now());
      return attempts.length === 1 ? { status: 'error', code: status.UNAVAILABLE } : { status: 'ok' };
    });
    await write({ metrics: { training_loss: 1 } });
    await receiver.waitFor(() => attempts.length > 1, 'another attempt');
    const [first = 0, second = 0] = attempts;
    expect(second - first).toBeGreaterThan(290);
  });
});
