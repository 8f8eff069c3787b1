import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type CollectorReport, tryCollector } from '../../../src/commands/check/collector.ts';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { createAuthority } from '../../support/certificates.ts';
import { configOf } from '../../support/config.ts';

const attempt = (endpoint: string, environment: Readonly<Record<string, string>> = {}) =>
  tryCollector(
    configOf({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_TIMEOUT: '1500', ...environment }),
    '0.0.0',
  );

const statuses = ({ steps }: CollectorReport) => steps.map(({ step, status }) => `${step} ${status}`);
const failure = ({ steps }: CollectorReport) => steps.find(({ status }) => status === 'failed');

async function receive(options: Parameters<typeof startReceiver>[0] = {}) {
  const receiver = await startReceiver(options);
  onTestFinished(() => receiver.stop());
  return receiver;
}

async function listen(server: Server): Promise<number> {
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A certificate for one name, and the authority that signed it. */
function certificateFor(name: string) {
  const authority = createAuthority();
  return { ca: authority.cert, ...authority.issue(name) };
}

describe('a Collector that is there', () => {
  it('takes an empty export, in plaintext', async () => {
    const receiver = await receive();
    const report = await attempt(receiver.endpoint.replace('127.0.0.1', 'localhost'));
    expect(report).toMatchObject({ status: 'ok', transport: 'plaintext' });
    expect(statuses(report)).toEqual(['name ok', 'connection ok', 'TLS not_needed', 'OTLP ok']);
    expect(receiver.requests).toMatchObject([{ points: [], reply: 'ok' }]);
  });

  it('takes an empty export over TLS', async () => {
    const { ca, pair } = certificateFor('localhost');
    const receiver = await receive({ credentials: ServerCredentials.createSsl(null, [pair]) });
    const report = await attempt(`https://localhost:${receiver.port}`, {
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
    });
    expect(statuses(report)).toEqual(['name ok', 'connection ok', 'TLS ok', 'OTLP ok']);
    expect(report.steps[2]?.detail).toMatch(/^TLSv1\.\d, certificate for localhost valid until /);
  });

  it('takes an empty export over TLS from a client it knows alone', async () => {
    const { ca, key, cert, pair } = certificateFor('localhost');
    const credentials = ServerCredentials.createSsl(readFileSync(ca), [pair], true);
    const receiver = await receive({ credentials });
    const endpoint = `https://localhost:${receiver.port}`;
    const known = {
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
      OTEL_EXPORTER_OTLP_CLIENT_KEY: key,
      OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cert,
    };
    expect(await attempt(endpoint, known)).toMatchObject({ status: 'ok' });
    expect(failure(await attempt(endpoint, { OTEL_EXPORTER_OTLP_CERTIFICATE: ca }))).toMatchObject({
      step: 'OTLP',
      detail: 'the Collector requires a client certificate that it trusts',
    });
  });

  it('is sent the headers that are configured, and they are not shown', async () => {
    const receiver = await receive();
    receiver.reply(({ headers }) =>
      headers.authorization === 'right' ? { status: 'ok' } : { status: 'error', code: 16, message: 'no' },
    );
    expect(
      await attempt(receiver.endpoint, { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=right' }),
    ).toMatchObject({ status: 'ok' });
    const report = await attempt(receiver.endpoint, { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=hunter2' });
    expect(failure(report)).toMatchObject({
      step: 'OTLP',
      advice: expect.stringContaining('OTEL_EXPORTER_OTLP_HEADERS (set are authorization)'),
    });
    expect(JSON.stringify(report)).not.toContain('hunter2');
  });
});

describe('a Collector that is not', () => {
  it('for want of the name', async () => {
    const report = await attempt('http://no-such-host.invalid:4317');
    expect(statuses(report)).toEqual([
      'name failed',
      'connection not_tried',
      'TLS not_tried',
      'OTLP not_tried',
    ]);
    expect(failure(report)?.detail).toContain('no-such-host.invalid');
  });

  it('for want of a listener', async () => {
    const server = createServer();
    const port = await listen(server);
    await new Promise((resolve) => server.close(resolve));
    const report = await attempt(`http://127.0.0.1:${port}`);
    expect(statuses(report)).toEqual([
      'name not_needed',
      'connection failed',
      'TLS not_tried',
      'OTLP not_tried',
    ]);
    expect(failure(report)).toMatchObject({
      detail: `nothing listens at 127.0.0.1:${port}`,
      advice: expect.stringContaining('4317'),
    });
  });

  it('for want of the socket', async () => {
    expect(failure(await attempt('unix:///no/such/socket'))).toMatchObject({
      step: 'connection',
      detail: expect.stringContaining('no socket'),
    });
  });

  it('because it says nothing, within the timeout', async () => {
    const port = await listen(createServer());
    const started = performance.now();
    expect(failure(await attempt(`http://127.0.0.1:${port}`))).toMatchObject({
      step: 'OTLP',
      detail: 'no answer in 1.5 s',
    });
    expect(failure(await attempt(`https://127.0.0.1:${port}`))).toMatchObject({
      step: 'TLS',
      detail: 'no answer in 1.5 s',
    });
    expect(performance.now() - started).toBeLessThan(8_000);
  });

  it('because its certificate is signed by nobody known', async () => {
    const { pair } = certificateFor('localhost');
    const receiver = await receive({ credentials: ServerCredentials.createSsl(null, [pair]) });
    expect(failure(await attempt(`https://localhost:${receiver.port}`))).toMatchObject({
      step: 'TLS',
      advice: expect.stringContaining('OTEL_EXPORTER_OTLP_CERTIFICATE'),
    });
  });

  it('because its certificate is for another name', async () => {
    const { ca, pair } = certificateFor('collector.example');
    const receiver = await receive({ credentials: ServerCredentials.createSsl(null, [pair]) });
    const report = await attempt(`https://localhost:${receiver.port}`, {
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
    });
    expect(failure(report)).toMatchObject({
      step: 'TLS',
      detail: expect.stringContaining('collector.example'),
      advice: expect.stringContaining('a name of the certificate'),
    });
  });

  it('because a certificate file is not there', async () => {
    const receiver = await receive();
    const report = await attempt(`https://127.0.0.1:${receiver.port}`, {
      OTEL_EXPORTER_OTLP_CERTIFICATE: '/no/such.pem',
    });
    expect(failure(report)).toMatchObject({
      step: 'TLS',
      detail: expect.stringContaining('/no/such.pem'),
      advice: expect.stringContaining('Mount'),
    });
  });

  it('because it speaks TLS and is spoken to in plaintext, or the other way round', async () => {
    const { ca, pair } = certificateFor('localhost');
    const secure = await receive({ credentials: ServerCredentials.createSsl(null, [pair]) });
    // The default: nothing here waits for a timeout, and a busy machine may take more than the short one.
    const patient = { OTEL_EXPORTER_OTLP_TIMEOUT: '10000' };
    expect(failure(await attempt(`http://127.0.0.1:${secure.port}`, patient))).toMatchObject({
      step: 'OTLP',
      advice: 'Write https:// in OTEL_EXPORTER_OTLP_ENDPOINT.',
    });
    const plain = await receive();
    expect(
      failure(
        await attempt(`https://localhost:${plain.port}`, { OTEL_EXPORTER_OTLP_CERTIFICATE: ca, ...patient }),
      ),
    ).toMatchObject({ step: 'TLS', advice: expect.stringContaining('plaintext') });
  });

  it('because it speaks HTTP and not gRPC', async () => {
    const server = createHttpServer((_request, response) => void response.end('hello'));
    expect(failure(await attempt(`http://127.0.0.1:${await listen(server)}`))).toMatchObject({
      step: 'OTLP',
      detail: 'the response is not gRPC',
    });
  });

  it.each([
    [12, 'a metrics pipeline'],
    [16, 'OTEL_EXPORTER_OTLP_HEADERS (none are set)'],
    [8, 'memory'],
    [14, 'log'],
  ])('because it answers with code %i', async (code, advice) => {
    const receiver = await receive();
    receiver.reply(() => ({ status: 'error', code, message: 'no' }));
    expect(failure(await attempt(receiver.endpoint))).toMatchObject({
      step: 'OTLP',
      advice: expect.stringContaining(advice),
    });
  });
});
