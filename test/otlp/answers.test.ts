import { constants, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type Point,
  type ReceiverResponse,
  startReceiver,
} from '../../src/commands/demo/receiver/receiver.ts';
import { answerRules } from '../../src/otlp/classify-response.ts';
import { startBridge } from '../support/bridge.ts';
import { replaceFile, temporaryFolder } from '../support/file.ts';
import { retryAfter } from './retry-details.ts';

/** The text of the Collector's otlp_http exporter. */
const backend = (code: number) =>
  `error exporting items, request to http://backend/v1/metrics responded with HTTP Status Code ${code}`;

const error = (code: status, message = 'no'): ReceiverResponse => ({ status: 'error', code, message });

type Answered = { readonly points: readonly Point[] };
const losses = ({ points }: Answered) =>
  points.filter(({ metric }) => metric === 'ml.training.loss').map(({ value }) => value);

/** A bridge whose snapshots 1 to 8 wait for the Collector, which then answers as it is told. */
async function setUp(answer: (values: readonly unknown[], n: number) => ReceiverResponse, environment = {}) {
  const bridge = await startBridge({ environment: { OTEL_METRIC_EXPORT_INTERVAL: '50', ...environment } });
  const { receiver, write } = bridge;
  receiver.reply(() => error(status.UNAVAILABLE));
  for (let value = 1; value <= 8; value++) await write({ metrics: { training_loss: value } });
  let asked = 0;
  receiver.reply((request) => answer(losses(request), losses(request).length > 0 ? ++asked : 0));
  await write({ metrics: { training_loss: 9 } });
  const delivered = () => [...new Set(receiver.points('ml.training.loss').map(({ value }) => value))];
  const dropped = (reason: string) =>
    receiver.points('ml.bridge.dropped').findLast(({ attributes }) => attributes.reason === reason)?.value;
  await receiver.waitFor(() => delivered().at(-1) === 9, 'the last');
  return { ...bridge, delivered, dropped };
}

const all = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe('an answer that means "later" loses nothing', () => {
  it.each([
    ['UNAVAILABLE', error(status.UNAVAILABLE)],
    ['RESOURCE_EXHAUSTED with RetryInfo', { ...error(status.RESOURCE_EXHAUSTED), metadata: retryAfter(0) }],
    ['500 of the backend', error(status.UNKNOWN, backend(500))],
    ['408 of the backend', error(status.UNKNOWN, backend(408))],
    ['429 of the backend', error(status.RESOURCE_EXHAUSTED, backend(429))],
  ] as const)('%s', async (_name, answer) => {
    const { delivered, dropped } = await setUp((_values, n) => (n === 1 ? answer : { status: 'ok' }));
    expect(delivered()).toEqual(all);
    expect(dropped('rejected')).toBe(0);
  });

  it.each([status.UNAUTHENTICATED, status.PERMISSION_DENIED])(
    '%s, where a file gives headers',
    async (code) => {
      const path = join(temporaryFolder(), 'headers');
      replaceFile(path, 'x-tenant=ml');
      const environment = { OTEL_EXPORTER_OTLP_HEADERS_FILE: path };
      const answer = (_values: unknown, n: number) => (n === 1 ? error(code) : { status: 'ok' as const });
      const { delivered, dropped, log } = await setUp(answer, environment);
      expect(delivered()).toEqual(all);
      expect(dropped('rejected')).toBe(0);
      expect(
        log.filter(({ message }) => message.startsWith('Collector refuses the credentials')),
      ).toHaveLength(1);
    },
  );
});

describe('a refusal that may be due to one snapshot drops that one alone', () => {
  it.each([
    ['INVALID_ARGUMENT', status.INVALID_ARGUMENT, 'no', 'rejected'],
    ['400 of the backend', status.UNKNOWN, backend(400), 'rejected'],
    ['409 of the backend', status.UNKNOWN, backend(409), 'rejected'],
    ['RESOURCE_EXHAUSTED', status.RESOURCE_EXHAUSTED, 'no', 'rejected'],
    ['413 of the backend', status.UNKNOWN, backend(413), 'too_large'],
    ['413 of a gateway', status.UNKNOWN, 'Received HTTP status code 413', 'too_large'],
    [
      'a message over the limit',
      status.RESOURCE_EXHAUSTED,
      'grpc: received message larger than max (5000000 vs. 4194304)',
      'too_large',
    ],
  ])('%s', async (_name, code, message, reason) => {
    const { delivered, dropped, receiver } = await setUp((values) =>
      values.includes(4) ? error(code, message) : { status: 'ok' },
    );
    expect(delivered()).toEqual(all.filter((value) => value !== 4));
    await receiver.waitFor(() => dropped(reason) === 1, 'the drop counted');
  });

  it('and a gateway that takes less than all of them gets them in parts', async () => {
    const { delivered, dropped } = await setUp((values) =>
      values.length > 2 ? error(status.RESOURCE_EXHAUSTED, 'too large') : { status: 'ok' },
    );
    expect(delivered()).toEqual(all);
    expect(dropped('too_large')).toBe(0);
  });
});

describe('a final answer drops the request', () => {
  it.each([
    ['UNIMPLEMENTED', error(status.UNIMPLEMENTED, 'unknown service')],
    ['501 of the backend', error(status.UNKNOWN, backend(501))],
    ['UNAUTHENTICATED without files', error(status.UNAUTHENTICATED)],
    ['INTERNAL', error(status.INTERNAL)],
  ] as const)('%s', async (_name, answer) => {
    const { delivered, receiver, dropped } = await setUp((values) =>
      values.includes(1) ? answer : { status: 'ok' },
    );
    expect(delivered()).not.toContain(1);
    await receiver.waitFor(() => (dropped('rejected') ?? 0) > 0, 'the drop counted');
  });
});

/** An HTTP/2 server that knows no gRPC. */
async function startWebServer(answer: (stream: ServerHttp2Stream) => void) {
  let requests = 0;
  const server = createServer();
  server.on('stream', (stream) => {
    requests += 1;
    stream.on('error', () => undefined);
    answer(stream);
  });
  const sockets = new Set<Socket>();
  let isStopped = false;
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // It was accepted before.
    if (isStopped) socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const stop = () =>
    new Promise<void>((resolve) => {
      isStopped = true;
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  return { port, stop, requests: () => requests };
}

/** A bridge with three snapshots whose endpoint answers each request in this way, and later as a Collector does. */
async function meet(answer: (stream: ServerHttp2Stream) => void, environment = {}) {
  const web = await startWebServer(answer);
  const { write, log } = await startBridge({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${web.port}`,
      OTEL_METRIC_EXPORT_INTERVAL: '50',
      // The receiver is stopped first.
      SHUTDOWN_TIMEOUT: '0.3',
      ...environment,
    },
  });
  for (const value of [1, 2, 3]) await write({ metrics: { training_loss: value } });
  await expect.poll(web.requests, { timeout: 10_000 }).toBeGreaterThan(3);
  const startCollector = async () => {
    await web.stop();
    const receiver = await startReceiver({ port: web.port });
    onTestFinished(() => receiver.stop());
    return receiver;
  };
  const expectAllLater = async () => {
    const receiver = await startCollector();
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 3, 'the last');
    expect(new Set(receiver.points('ml.training.loss').map(({ value }) => value))).toEqual(
      new Set([1, 2, 3]),
    );
  };
  return { log, startCollector, expectAllLater };
}

describe('an HTTP answer that is no gRPC waits, with one error line that says what answered', () => {
  it.each([
    [400, ''],
    [401, ''],
    [404, ''],
    [408, ''],
    [409, ''],
    [500, ''],
    [200, '<html>welcome</html>'],
  ])('%i %s', async (code, page) => {
    const { log, expectAllLater } = await meet((stream) => {
      stream.respond({ ':status': code, 'content-type': 'text/html' });
      stream.end(page);
    });
    const lines = log.filter(({ level }) => level === 'error');
    expect(lines).toMatchObject([
      {
        message: 'Endpoint answers, but not as an OTLP/gRPC receiver: data waits until it does',
        reason: expect.stringMatching(
          code === 200 ? /larger than max \(\d{10} / : `HTTP status code ${code}`,
        ),
      },
    ]);
    await expectAllLater();
  });
});

describe('an HTTP answer of a gateway that is "later" waits, with one warning', () => {
  it.each([429, 502, 503, 504])('%i', async (code) => {
    const { log, expectAllLater } = await meet((stream) => {
      stream.respond({ ':status': code }, { endStream: true });
    });
    expect(log.filter(({ level }) => level === 'warn' || level === 'error')).toMatchObject([
      {
        level: 'warn',
        message: 'Collector answers that it cannot accept data now: it is sent again until it is accepted',
      },
    ]);
    await expectAllLater();
  });
});

it('an HTTP 413 of a gateway is a refusal: each snapshot that it refuses alone is dropped as too large', async () => {
  const { log, startCollector } = await meet((stream) => {
    stream.respond({ ':status': 413 }, { endStream: true });
  });
  const refused = 'Collector rejected an export: its snapshots are dropped';
  await expect.poll(() => log.map(({ message }) => message)).toContain(refused);
  expect(log.find(({ message }) => message === refused)?.reason).toContain('HTTP status code 413');
  const receiver = await startCollector();
  const dropped = () =>
    receiver.points('ml.bridge.dropped').findLast(({ attributes }) => attributes.reason === 'too_large')
      ?.value;
  await receiver.waitFor(() => Number(dropped()) >= 3, 'the three dropped');
});

describe('a stream that is broken is no answer, whatever its code', () => {
  it.each([
    'NGHTTP2_NO_ERROR',
    'NGHTTP2_PROTOCOL_ERROR',
    'NGHTTP2_INTERNAL_ERROR',
    'NGHTTP2_REFUSED_STREAM',
    'NGHTTP2_CANCEL',
    'NGHTTP2_ENHANCE_YOUR_CALM',
    'NGHTTP2_INADEQUATE_SECURITY',
    'NGHTTP2_HTTP_1_1_REQUIRED',
  ] as const)('%s', async (name) => {
    const { log, expectAllLater } = await meet((stream) => stream.close(constants[name]), {
      // gRPC overlooks some streams that are closed with NO_ERROR until the timeout.
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
    });
    const lines = log.filter(({ level }) => level === 'warn' || level === 'error');
    expect(lines).toMatchObject([
      { level: 'warn', message: 'Collector cannot be reached: snapshots wait and are sent when it is back' },
    ]);
    await expectAllLater();
  });
});

it('documents every rule that goes beyond the specification with its reason', () => {
  for (const { answer, details, beyond, reaction } of answerRules)
    if (details !== undefined && !(reaction.action === 'wait' && reaction.cause === 'no_answer'))
      expect(beyond, answer).toBeDefined();
});
