import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createPing } from '../../../../src/bridge/notifiers/heartbeat/ping.ts';
import { createAuthority } from '../../../support/certificates.ts';
import { until } from '../../../support/until.ts';

async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server that says this on each connection once something was sent, and its open connections. */
async function startServer(answer = '') {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('data', () => socket.write(answer)).on('error', () => undefined);
    socket.on('close', () => open.delete(socket));
  });
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
  });
  return { port: await portOf(server), open };
}

/** A beat that has this much time. */
const beat = (url: string, proxyEnvironment: Readonly<Record<string, string>> = {}, ms = 200) =>
  createPing({ source: { kind: 'url', url }, proxyEnvironment }, 'agent')(
    { kind: 'beat' },
    AbortSignal.timeout(ms),
  );

const noAnswer = { status: 'failed', reason: 'no answer in time' };

describe('a beat that gets no answer', () => {
  it.each([
    ['a server that hangs', 'http', ''],
    ['a server of TLS that hangs', 'https', ''],
    ['an endless list of interim answers', 'http', 'HTTP/1.1 100 Continue\r\n\r\n'],
    [
      'an upgrade that was not asked for',
      'http',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    ],
  ])('from %s ends in time, and its connection with it', async (_what, scheme, answer) => {
    const { port, open } = await startServer(answer);
    expect(await beat(`${scheme}://127.0.0.1:${port}/x`)).toEqual(noAnswer);
    await until(() => open.size === 0, 'the connection to close');
  });

  it.each([
    ['hangs', ''],
    ['does not speak HTTP', 'SSH-2.0-OpenSSH\r\n'],
  ])('by a proxy that %s ends in time, and its connection with it', async (_what, answer) => {
    const { port, open } = await startServer(answer);
    const proxy = { https_proxy: `http://127.0.0.1:${port}` };
    const ping = beat('https://monitor.invalid/x', proxy);
    await until(() => open.size === 1, 'the connection');
    expect(await ping).toEqual(noAnswer);
    await until(() => open.size === 0, 'the connection to close');
  });
});

it('a beat to a server whose certificate is unknown fails with the reason, without its name', async () => {
  const { pair } = createAuthority('secret-host').issue('secret-host');
  const options = { cert: pair.cert_chain, key: pair.private_key };
  const port = await portOf(createHttpsServer(options, (_request, response) => response.end()));
  const { status, ...rest } = await beat(`https://127.0.0.1:${port}/x`, {}, 5_000);
  expect(status).toBe('failed');
  expect(JSON.stringify(rest)).toMatch(/CERT|SIGN|ALTNAME/);
  expect(JSON.stringify(rest)).not.toContain('secret-host');
});

it('a beat to a server that answers without end is delivered', async () => {
  const { port } = await startServer(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(100_000)}`);
  expect(await beat(`http://127.0.0.1:${port}/x`)).toEqual({ status: 'ok' });
});

it('beats look a name up once while the name server does not answer, and go on once it does', async () => {
  const { port } = await startServer('HTTP/1.1 200 OK\r\n\r\n');
  const answers: (() => void)[] = [];
  const lookup: LookupFunction = (_host, _options, callback) => {
    answers.push(() => callback(null, [{ address: '127.0.0.1', family: 4 }]));
  };
  const url = `http://monitor.invalid:${port}/x`;
  const ping = createPing({ source: { kind: 'url', url }, proxyEnvironment: {} }, 'agent', lookup);
  const beatWithin = (ms: number) => ping({ kind: 'beat' }, AbortSignal.timeout(ms));
  expect(await beatWithin(100)).toEqual(noAnswer);
  const next = beatWithin(10_000);
  // The request looks the name up in the next turns of the event loop.
  await setImmediate();
  await setImmediate();
  expect(answers).toHaveLength(1);
  answers[0]?.();
  expect(await next).toEqual({ status: 'ok' });
  const last = beatWithin(10_000);
  await until(() => answers.length === 2, 'another lookup');
  answers[1]?.();
  expect(await last).toEqual({ status: 'ok' });
});
