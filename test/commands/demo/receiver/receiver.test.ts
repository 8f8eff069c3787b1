import { connect, createServer } from 'node:net';
import { Metadata, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Receiver, startReceiver } from '../../../../src/commands/demo/receiver/receiver.ts';
import { deferred } from '../../../../src/common/timing.ts';
import { createExporter, createMeter, exportOnce, gzip, sendBytes } from './client.ts';

const empty = new Uint8Array();
let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.stop());

function oneGauge(value = 1) {
  const { meter, collect } = createMeter();
  meter.createGauge('g').record(value);
  return collect();
}

describe('reply', () => {
  it('accepts at first, with an empty response', async () => {
    expect(await sendBytes(receiver.port, empty)).toEqual({ status: 'ok', response: Buffer.alloc(0) });
    expect(receiver.requests).toMatchObject([{ reply: 'ok', points: [], bytes: 0 }]);
  });

  it.each(
    Object.entries(status).flatMap(([name, code]) =>
      typeof code === 'number' && code > 0 ? [[name, code]] : [],
    ),
  )('gives %s (%i) to the client', async (_name, code) => {
    const metadata = new Metadata();
    metadata.set('why', 'because');
    receiver.reply(() => ({ status: 'error', code: Number(code), message: 'not now', metadata }));
    const answer = await sendBytes(receiver.port, empty);
    expect(answer).toMatchObject({ status: 'error', code, details: 'not now' });
    expect(answer.status === 'error' && answer.metadata.get('why')).toEqual(['because']);
  });

  it('fails an export that is refused, and keeps its points out of points()', async () => {
    receiver.reply(() => ({ status: 'error', code: status.INVALID_ARGUMENT }));
    const exporter = createExporter(receiver.endpoint);
    expect(await exportOnce(exporter, await oneGauge())).toMatchObject({
      code: 1,
      error: { code: status.INVALID_ARGUMENT },
    });
    await exporter.shutdown();
    expect(receiver.requests).toMatchObject([{ reply: 'error', points: [{ metric: 'g' }] }]);
    expect(receiver.points('g')).toEqual([]);
  });

  it('takes what is sent again after it was refused', async () => {
    receiver.reply((_, n) => (n === 1 ? { status: 'error', code: status.UNAVAILABLE } : { status: 'ok' }));
    const exporter = createExporter(receiver.endpoint);
    const metrics = await oneGauge();
    expect(await exportOnce(exporter, metrics)).toMatchObject({
      code: 1,
      error: { code: status.UNAVAILABLE },
    });
    expect(await exportOnce(exporter, metrics)).toMatchObject({ code: 0 });
    await exporter.shutdown();
    expect(receiver.requests.map(({ reply }) => reply)).toEqual(['error', 'ok']);
    expect(receiver.points('g')).toHaveLength(1);
  });

  it('tells a partial success', async () => {
    const partialSuccess = { rejectedDataPoints: 2, errorMessage: 'ab' };
    receiver.reply(() => ({ status: 'ok', partialSuccess }));
    // partial_success (1) { rejected_data_points (1): 2, error_message (2): "ab" }
    const response = Buffer.from([10, 6, 8, 2, 18, 2, 97, 98]);
    expect(await sendBytes(receiver.port, empty)).toEqual({ status: 'ok', response });
  });

  it('counts the requests from when it was set, and is given what arrived', async () => {
    await sendBytes(receiver.port, empty);
    const seen: [number, string | undefined][] = [];
    receiver.reply(({ headers }, n) => {
      seen.push([n, headers['x-tenant']]);
      return { status: 'ok' };
    });
    const metadata = new Metadata();
    metadata.set('x-tenant', 'a');
    await sendBytes(receiver.port, empty, metadata);
    await sendBytes(receiver.port, empty);
    expect(seen).toEqual([
      [1, 'a'],
      [2, undefined],
    ]);
  });

  it('may take its time: the request counts as hanging until then', async () => {
    const { promise, resolve } = deferred<{ status: 'ok' }>();
    receiver.reply(() => promise);
    const answer = sendBytes(receiver.port, empty);
    await receiver.waitFor(({ requests }) => requests.length === 1, 'a request');
    expect(receiver.requests).toMatchObject([{ reply: 'hang' }]);
    resolve({ status: 'ok' });
    expect(await answer).toMatchObject({ status: 'ok' });
    expect(receiver.requests).toMatchObject([{ reply: 'ok' }]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('oh');
      },
    ],
    ['rejects', () => Promise.reject(new Error('oh'))],
  ])('is INTERNAL where it %s', async (_how, replier) => {
    receiver.reply(replier);
    const answer = await sendBytes(receiver.port, empty);
    expect(answer).toMatchObject({
      status: 'error',
      code: status.INTERNAL,
      details: expect.stringContaining('oh'),
    });
  });
});

describe('the server', () => {
  it('refuses what is not protobuf', async () => {
    const answer = await sendBytes(receiver.port, Uint8Array.from([10, 200, 1, 1]));
    expect(answer).toMatchObject({ status: 'error', code: status.INTERNAL });
    expect(receiver.requests).toEqual([]);
  });

  it('refuses more than 4 MiB, as the Collector does', async () => {
    const answer = await sendBytes(receiver.port, new Uint8Array(4 * 1024 * 1024 + 1));
    expect(answer).toMatchObject({ status: 'error', code: status.RESOURCE_EXHAUSTED });
  });

  it.each([
    ['gzip', gzip],
    ['no compression', {}],
  ])('reads requests with %s', async (name, options) => {
    const { meter, collect } = createMeter();
    for (let n = 0; n < 500; n++) meter.createGauge('g').record(n, { n });
    const proxy = await countingProxy(receiver.port);
    const exporter = createExporter(`http://127.0.0.1:${proxy.port}`, options);
    expect(await exportOnce(exporter, await collect())).toMatchObject({ code: 0 });
    await exporter.shutdown();
    proxy.close();
    expect(receiver.points('g').map(({ value }) => value)).toEqual(Array.from({ length: 500 }, (_, n) => n));
    const plain = receiver.requests[0]?.bytes ?? 0;
    if (name === 'gzip') expect(proxy.bytes()).toBeLessThan(plain / 2);
    else expect(proxy.bytes()).toBeGreaterThan(plain);
  });

  it('keeps the latest requests only, where told to', async () => {
    const few = await startReceiver({ keep: 2 });
    const kept = few.requests;
    const exporter = createExporter(few.endpoint);
    for (const value of [1, 2, 3]) await exportOnce(exporter, await oneGauge(value));
    await exporter.shutdown();
    expect(kept).toHaveLength(2);
    expect(few.points('g').map(({ value }) => value)).toEqual([2, 3]);
    await few.stop();
  });

  it('tells of each request once it is answered', async () => {
    const told: string[] = [];
    const telling = await startReceiver({ onRequest: ({ reply }) => told.push(reply) });
    telling.reply(async (_, n) => (n === 1 ? { status: 'error', code: 3 } : { status: 'ok' }));
    await sendBytes(telling.port, empty);
    await sendBytes(telling.port, empty);
    expect(told).toEqual(['error', 'ok']);
    await telling.stop();
  });

  it('rejects where the port is taken', async () => {
    await expect(startReceiver({ port: receiver.port })).rejects.toThrow('EADDRINUSE');
  });

  it('stops while calls hang, which are cancelled, and frees the port', async () => {
    receiver.reply(() => ({ status: 'hang' }));
    const answer = sendBytes(receiver.port, empty);
    await receiver.waitFor(({ requests }) => requests[0]?.reply === 'hang', 'a request');
    await receiver.stop();
    expect(await answer).toMatchObject({ status: 'error' });
    const next = await startReceiver({ port: receiver.port });
    expect(await sendBytes(next.port, empty)).toMatchObject({ status: 'ok' });
    await next.stop();
  });

  it('may be stopped twice, also at once', async () => {
    await Promise.all([receiver.stop(), receiver.stop()]);
    await receiver.stop();
  });

  it('gives a deadline its way: the client gives up on a call that hangs', async () => {
    receiver.reply(() => ({ status: 'hang' }));
    const exporter = createExporter(receiver.endpoint, { timeoutMillis: 100 });
    expect(await exportOnce(exporter, await oneGauge())).toMatchObject({ code: 1 });
    await exporter.shutdown();
    expect(receiver.points('g')).toEqual([]);
  });
});

describe('waitFor', () => {
  it('resolves at once where the condition holds already', () => receiver.waitFor(() => true, 'nothing', 0));

  it('resolves once it does', async () => {
    const twice = receiver.waitFor(({ requests }) => requests.length === 2, 'two requests');
    await sendBytes(receiver.port, empty);
    await sendBytes(receiver.port, empty);
    await twice;
  });

  it('rejects with what was waited for and what had arrived', async () => {
    await expect(receiver.waitFor(() => false, 'a loss', 10)).rejects.toThrow(
      'waited for a loss, not within 10 ms; arrived: nothing',
    );
    receiver.reply((_, n) => (n <= 2 ? { status: 'ok' } : { status: 'error', code: 3 }));
    const exporter = createExporter(receiver.endpoint);
    for (let n = 0; n < 3; n++) await exportOnce(exporter, await oneGauge());
    await exporter.shutdown();
    await expect(receiver.waitFor(() => false, 'a loss', 10)).rejects.toThrow(
      'waited for a loss, not within 10 ms; arrived: requests: 2 ok, 1 error; points: 2 g',
    );
  });

  it('rejects when the receiver is stopped', async () => {
    const waiting = expect(receiver.waitFor(() => false, 'a loss')).rejects.toThrow(
      'waited for a loss, but the receiver was stopped; arrived: nothing',
    );
    await receiver.stop();
    await waiting;
  });

  it('rejects with what the condition throws, and the receiver goes on', async () => {
    const waiting = expect(
      receiver.waitFor(({ requests }) => {
        if (requests.length > 0) throw new Error('wrong');
        return false;
      }, 'a loss'),
    ).rejects.toThrow('wrong');
    expect(await sendBytes(receiver.port, empty)).toMatchObject({ status: 'ok' });
    await waiting;
  });
});

/** Passes bytes on and counts those of the client. */
async function countingProxy(target: number) {
  let bytes = 0;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    client.on('data', (chunk) => {
      bytes += chunk.length;
    });
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { port, bytes: () => bytes, close: () => server.close() };
}
