import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { readEndpoint } from '../../src/common/endpoint.ts';
import { startBridge } from '../support/bridge.ts';
import { temporaryFolder } from '../support/file.ts';

const nothing = { insecure: undefined, certificates: false };

describe('an address reaches the right host, port and transport', () => {
  it.each([
    ['http://collector:4317', 'collector:4317', 'plaintext'],
    ['http://collector:4317/', 'collector:4317', 'plaintext'],
    ['http://collector', 'collector:4317', 'plaintext'],
    ['http://collector:80', 'collector:80', 'plaintext'],
    ['HTTP://collector:4317', 'collector:4317', 'plaintext'],
    ['https://collector:443', 'collector:443', 'tls'],
    ['https://collector', 'collector:443', 'tls'],
    ['https://collector:4317', 'collector:4317', 'tls'],
    ['http://[::1]:4317', '[::1]:4317', 'plaintext'],
    ['http://otel_collector:4317', 'otel_collector:4317', 'plaintext'],
    ['collector:4317', 'collector:4317', 'plaintext'],
    ['collector', 'collector:4317', 'plaintext'],
    ['collector.ns.svc.cluster.local:4317', 'collector.ns.svc.cluster.local:4317', 'plaintext'],
    ['127.0.0.1:80', '127.0.0.1:80', 'plaintext'],
    ['dns:///collector:4317', 'collector:4317', 'plaintext'],
    ['dns:collector:4317', 'collector:4317', 'plaintext'],
    ['ipv4:10.0.0.1:4317', '10.0.0.1:4317', 'plaintext'],
    ['ipv6:[::1]:4317', '[::1]:4317', 'plaintext'],
    ['ipv6:///[::1]:1', '[::1]:1', 'plaintext'],
    ['unix:///run/otel.sock', 'unix:///run/otel.sock', 'plaintext'],
    ['unix:/run/otel.sock', 'unix:///run/otel.sock', 'plaintext'],
  ])('%s', (address, target, transport) => {
    expect(readEndpoint(address, nothing)).toMatchObject({ status: 'ok', endpoint: { target, transport } });
  });

  it.each([
    [{ insecure: undefined, certificates: false }, 'plaintext', 1],
    [{ insecure: undefined, certificates: true }, 'tls', 0],
    [{ insecure: true, certificates: false }, 'plaintext', 0],
    [{ insecure: false, certificates: false }, 'tls', 0],
    [{ insecure: true, certificates: true }, 'tls', 0],
  ])('without a scheme, by %j', (hints, transport, warnings) => {
    const reading = readEndpoint('collector:4317', hints);
    expect(reading).toMatchObject({ status: 'ok', endpoint: { transport } });
    expect(reading.status === 'ok' && reading.endpoint.warnings).toHaveLength(warnings);
  });

  it('and a scheme is not overruled', () => {
    expect(readEndpoint('http://c:1', { insecure: false, certificates: true })).toMatchObject({
      endpoint: { transport: 'plaintext' },
    });
  });

  it.each([
    ['http://collector:4317/v1/metrics', 'the path /v1/metrics is ignored'],
    ['http://collector:4318', 'port 4318 is commonly OTLP over HTTP'],
  ])('%s with a warning', (address, warning) => {
    const reading = readEndpoint(address, nothing);
    expect(reading.status === 'ok' && reading.endpoint.warnings).toEqual([expect.stringContaining(warning)]);
  });
});

describe('an address is refused', () => {
  it.each([
    ['ftp://collector:21', 'scheme ftp: is not supported'],
    ['grpc://collector:4317', 'scheme grpc: is not supported'],
    ['http://', 'no valid host and port'],
    ['http://col lector:4317', 'no valid host and port'],
    ['http://collector:0', 'port 0'],
    ['http://collector:70000', 'port 70000'],
    ['::1:4317', 'brackets'],
    ['ipv4:10.0.0.1:4317,10.0.0.2', 'a list of addresses is not supported; use a DNS name'],
    ['ipv6:///[::1]:1,[::2]:2', 'use a DNS name'],
    ['ipv4:10.0.0.1:4317,', 'use a DNS name'],
    ['http://collector-1:4317,collector-2:4317', 'use a DNS name'],
    ['http://[fe80::1%eth0]:4317', 'a zone of an IPv6 address is not supported'],
    ['dns://1.1.1.1/collector:4317', 'a DNS server in the address'],
    ['unix:socket', 'absolute path'],
  ])('%s', (address, reason) => {
    expect(readEndpoint(address, nothing)).toEqual({
      status: 'invalid',
      reason: expect.stringContaining(reason),
    });
  });

  it('without repeating what stands behind a question mark', () => {
    const reading = readEndpoint('http://collector:4317/v1?api-key=secret', nothing);
    expect(reading.status).toBe('ok');
    expect(JSON.stringify(reading)).not.toContain('secret');
  });

  it('with credentials in it, without repeating them', () => {
    for (const address of ['http://user:secret@collector:4317', 'user:secret@collector:4317']) {
      const reading = readEndpoint(address, nothing);
      expect(reading.status).toBe('invalid');
      expect(JSON.stringify(reading)).not.toContain('secret');
    }
  });
});

describe('the exporter goes there', () => {
  const arrives = async (endpoint: (port: number) => string) => {
    const receiver = await startReceiver();
    const { write } = await startBridge({
      receiver,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint(receiver.port) },
    });
    await write({});
    await receiver.waitFor(() => receiver.points('ml.training.loss').length > 0, 'the loss');
  };

  it.each([
    ['http://', (port: number) => `http://localhost:${port}`],
    ['host:port', (port: number) => `127.0.0.1:${port}`],
    ['dns:///', (port: number) => `dns:///localhost:${port}`],
    ['ipv4:', (port: number) => `ipv4:127.0.0.1:${port}`],
  ])('by %s', async (_name, endpoint) => arrives(endpoint));

  it('by a Unix socket', async () => {
    const socket = join(temporaryFolder(), 'otel.sock');
    let requests = 0;
    const server = new Server();
    const identity = (value: Buffer) => value;
    server.addService(
      {
        export: {
          path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
          requestStream: false,
          responseStream: false,
          requestSerialize: identity,
          requestDeserialize: identity,
          responseSerialize: identity,
          responseDeserialize: identity,
        },
      },
      {
        export: (_call: unknown, answer: (error: null, reply: Buffer) => void) => {
          requests += 1;
          answer(null, Buffer.alloc(0));
        },
      },
    );
    await new Promise<void>((resolve, reject) =>
      server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
        error ? reject(error) : resolve(),
      ),
    );
    onTestFinished(() => {
      server.forceShutdown();
      rmSync(socket, { force: true });
    });
    const { write, stop } = await startBridge({
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: `unix://${socket}` },
    });
    await write({});
    expect(await stop()).toMatchObject({ undelivered: 0 });
    expect(requests).toBeGreaterThan(0);
  });

  // Binding a port below 1024 takes rights that not every machine gives.
  it.runIf(process.getuid?.() === 0)('by a port that is the default of its scheme', async ({ skip }) => {
    const receiver = await startReceiver({ port: 80 }).catch(() => undefined);
    if (receiver === undefined) return skip('port 80 is taken');
    const { write } = await startBridge({
      receiver,
      environment: { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:80' },
    });
    await write({});
    await receiver.waitFor(() => receiver.points('ml.training.loss').length > 0, 'the loss');
  });
});
