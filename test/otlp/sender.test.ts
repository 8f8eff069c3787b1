import { type AddressInfo, connect, createServer } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Point, type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { until } from '../support/until.ts';
import { retryAfter } from './retry-details.ts';

/** Passes bytes on to a port and counts those that go there. */
async function countingProxy(target: number): Promise<{ port: number; bytes: () => number }> {
  let bytes = 0;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.on('data', (chunk) => {
      bytes += chunk.length;
    });
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, bytes: () => bytes };
}

const dropped = (receiver: Receiver, reason: string) =>
  receiver.points('ml.bridge.dropped').findLast(({ attributes }) => attributes.reason === reason)?.value ??
  -1;

const hasLoss = (value: number) => (request: { points: readonly Point[] }) =>
  request.points.some((it) => it.metric === 'ml.training.loss' && it.value === value);

const soon = { OTEL_METRIC_EXPORT_INTERVAL: '50' };

describe('an answer of the Collector', () => {
  it.each([
    ['CANCELLED', status.CANCELLED],
    ['DEADLINE_EXCEEDED', status.DEADLINE_EXCEEDED],
    ['ABORTED', status.ABORTED],
    ['OUT_OF_RANGE', status.OUT_OF_RANGE],
    ['UNAVAILABLE', status.UNAVAILABLE],
    ['DATA_LOSS', status.DATA_LOSS],
  ])('%s is tried again', async (_name, code) => {
    const { receiver, write } = await startBridge({ environment: soon });
    receiver.reply((_request, n) => (n === 1 ? { status: 'error', code } : { status: 'ok' }));
    await write({ metrics: { training_loss: 7 } });
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 7, 'the loss');
    const retries = () =>
      receiver.points('ml.bridge.exports').filter(({ attributes }) => attributes.outcome === 'retry');
    await receiver.waitFor(() => retries().at(-1)?.value === 1, 'the retry counted');
  });

  it.each([
    ['INVALID_ARGUMENT', status.INVALID_ARGUMENT],
    ['UNAUTHENTICATED', status.UNAUTHENTICATED],
    ['UNIMPLEMENTED', status.UNIMPLEMENTED],
  ])('%s is final: dropped, counted, logged once, and the next one goes out', async (_name, code) => {
    const { receiver, write, log, stop } = await startBridge();
    const refused = (request: { points: readonly Point[] }) => hasLoss(1)(request) || hasLoss(2)(request);
    receiver.reply((request) =>
      refused(request) ? { status: 'error', code, message: 'no' } : { status: 'ok' },
    );
    for (const value of [1, 2, 3]) {
      await write({ metrics: { training_loss: value } });
      await receiver.waitFor(() => receiver.requests.some(hasLoss(value)), `loss ${value}`);
    }
    await receiver.waitFor(
      () => receiver.points('ml.training.loss').at(-1)?.value === 3,
      'the third accepted',
    );
    await stop();
    expect(new Set(receiver.points('ml.training.loss').map(({ value }) => value))).toEqual(new Set([3]));
    expect(dropped(receiver, 'rejected')).toBe(2);
    expect(log.filter(({ message }) => message.startsWith('Collector rejected an export'))).toHaveLength(1);
  });
});

describe('RESOURCE_EXHAUSTED', () => {
  it.each([
    ['with RetryInfo is tried again', true, 0],
    ['without it is final', false, 1],
  ])('%s', async (_name, hasRetryInfo, lost) => {
    const metadata = hasRetryInfo ? retryAfter(0) : new Metadata();
    const { receiver, write } = await startBridge({ environment: soon });
    const isFirst = (points: readonly Point[]) =>
      points.some((it) => it.metric === 'ml.training.loss' && it.value === 1);
    let refused = false;
    receiver.reply(({ points }) => {
      if (refused || !isFirst(points)) return { status: 'ok' };
      refused = true;
      return { status: 'error', code: status.RESOURCE_EXHAUSTED, metadata };
    });
    await write({ metrics: { training_loss: 1, batch_number: 1 } });
    await receiver.waitFor(
      () =>
        receiver
          .points('ml.bridge.exports')
          .some(
            ({ attributes, value }) =>
              value === 1 && attributes.outcome === (hasRetryInfo ? 'retry' : 'rejected'),
          ),
      'the refusal counted',
    );
    expect(dropped(receiver, 'rejected')).toBe(lost);
  });
});

describe('an export that is taken in part', () => {
  it('is not sent again; its points are counted, and there is one warning', async () => {
    const { receiver, write, log, stop } = await startBridge();
    const partialSuccess = { rejectedDataPoints: 2, errorMessage: 'too old' };
    receiver.reply(() => ({ status: 'ok', partialSuccess }));
    for (const value of [1, 2, 3]) await write({ metrics: { training_loss: value } });
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 3, 'the last');
    receiver.reply(() => ({ status: 'ok' }));
    await write({ metrics: { training_loss: 4 } });
    const counted = () => receiver.points('ml.bridge.points_refused').at(-1)?.value;
    const partly = () => receiver.requests.findIndex(hasLoss(4));
    await receiver.waitFor(() => partly() >= 0, 'the fourth');
    expect(receiver.points('ml.training.loss').map(({ value }) => value)).toEqual([1, 2, 3, 4]);
    await stop();
    expect(counted()).toBe(2 * partly());
    const warnings = log.filter(({ message }) => message.startsWith('Collector accepted a request but'));
    expect(warnings).toMatchObject([{ level: 'warn', points: 2, reason: 'too old' }]);
  });
});

describe('one request', () => {
  it('is in flight, never two', async () => {
    const { receiver, write } = await startBridge({ environment: soon });
    let open = 0;
    let most = 0;
    receiver.reply(async () => {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 20));
      open -= 1;
      return { status: 'ok' };
    });
    for (let step = 1; step <= 20; step++) await write({ metrics: { training_loss: step } });
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 20, 'the last');
    expect(most).toBe(1);
  });

  it('carries the headers and a user agent of ours', async () => {
    const { receiver, write } = await startBridge({
      environment: { OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Bearer%20abc,x-tenant=ml' },
    });
    await write({});
    await receiver.waitFor(() => receiver.requests.length > 0, 'a request');
    expect(receiver.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer abc',
      'x-tenant': 'ml',
      'user-agent': expect.stringMatching(/^ml-metrics-bridge\/0\.0\.0 /),
    });
  });

  it('is gzip unless told otherwise', async () => {
    const bytesOf = async (compression: string) => {
      const receiver = await startReceiver();
      const proxy = await countingProxy(receiver.port);
      const { write, stop } = await startBridge({
        receiver,
        environment: {
          OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${proxy.port}`,
          OTEL_EXPORTER_OTLP_COMPRESSION: compression,
        },
      });
      await write({});
      expect(await stop()).toMatchObject({ undelivered: 0 });
      return proxy.bytes();
    };
    expect(await bytesOf('gzip')).toBeLessThan((await bytesOf('none')) / 2);
  });

  it('holds many snapshots after an outage, oldest first', async () => {
    const { receiver, write } = await startBridge({ environment: soon });
    receiver.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
    for (let step = 1; step <= 50; step++) await write({ metrics: { training_loss: step } });
    receiver.reply(() => ({ status: 'ok' }));
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 50, 'the last');
    const accepted = receiver.requests.filter(({ reply }) => reply === 'ok');
    const losses = accepted.flatMap(({ points }) =>
      points.filter(({ metric }) => metric === 'ml.training.loss'),
    );
    const inTurn = losses.map(({ value }) => value).filter((value, index, all) => value !== all[index - 1]);
    expect(inTurn).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    expect(accepted.length).toBeLessThan(20);
  });
});

describe('a queue that is full', () => {
  it('drops the oldest, counts them, and says so once', async () => {
    const { receiver, write, log } = await startBridge({ environment: { ...soon, EXPORT_QUEUE_SIZE: '3' } });
    receiver.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
    for (let step = 1; step <= 10; step++) await write({ metrics: { training_loss: step } });
    receiver.reply(() => ({ status: 'ok' }));
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 10, 'the last');
    await receiver.waitFor(() => dropped(receiver, 'queue_full') >= 6, 'what was dropped');
    expect(log.filter(({ message }) => message.startsWith('Export queue is full'))).toHaveLength(1);
  });
});

describe('a queue that has all its bytes', () => {
  it('drops the oldest, counts them apart, and says so once', async () => {
    const { receiver, write, log } = await startBridge({
      environment: soon,
      config: { exportQueueBytes: 20_000 },
    });
    receiver.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
    for (let step = 1; step <= 20; step++) await write({ metrics: { training_loss: step } });
    receiver.reply(() => ({ status: 'ok' }));
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 20, 'the last');
    await receiver.waitFor(() => dropped(receiver, 'queue_bytes_full') >= 10, 'what was dropped');
    expect(dropped(receiver, 'queue_full')).toBe(0);
    const waited = receiver.requests.find(hasLoss(20));
    expect(waited?.bytes).toBeLessThan(20_000 + 5_000);
    expect(
      log.filter(({ message }) => message.startsWith('Export queue has reached EXPORT_QUEUE_BYTES')),
    ).toHaveLength(1);
  });
});

describe('the end', () => {
  it('does not wait 10 minutes to let the others pass a snapshot that is answered with "later"', async () => {
    const { receiver, write, stop } = await startBridge({ environment: soon });
    receiver.reply(() => ({ status: 'error', code: status.UNAVAILABLE }));
    for (let step = 1; step <= 5; step++) await write({ metrics: { training_loss: step } });
    receiver.reply((request) =>
      hasLoss(1)(request) ? { status: 'error', code: status.UNAVAILABLE } : { status: 'ok' },
    );
    expect(await stop()).toMatchObject({ undelivered: 1 });
    const delivered = new Set(receiver.points('ml.training.loss').map(({ value }) => value));
    expect([...delivered].toSorted()).toEqual([2, 3, 4, 5]);
  });
});

describe('a Collector that comes back', () => {
  it('is reached on a new connection, whatever backoff the old one is in', async () => {
    const first = await startReceiver();
    const { port } = first;
    const { write, log } = await startBridge({ receiver: first, environment: soon });
    await write({ metrics: { training_loss: 1 } });
    await first.waitFor(() => first.points('ml.training.loss').length > 0, 'the first');
    await first.stop();
    await write({ metrics: { training_loss: 2 } });
    await until(
      () => log.some(({ message }) => message.startsWith('Collector cannot be reached')),
      'the outage',
    );
    const second = await startReceiver({ port });
    try {
      await second.waitFor(
        () => second.points('ml.training.loss').some(({ value }) => value === 2),
        'the second',
      );
    } finally {
      await second.stop();
    }
  });
});
