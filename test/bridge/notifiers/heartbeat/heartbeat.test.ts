import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../../../src/commands/demo/receiver/receiver.ts';
import { systemClock } from '../../../../src/common/clock.ts';
import { startBridge } from '../../../support/bridge.ts';
import { exampleText, replaceFile, temporaryFolder } from '../../../support/file.ts';
import { type HeartbeatMonitor, startHeartbeatMonitor } from '../../../support/heartbeat-monitor.ts';
import { freePort } from '../../../support/port.ts';
import { startProcess } from '../../../support/process.ts';
import { until } from '../../../support/until.ts';

const secret = 'hunter-uuid';
const failed = 'Heartbeat is not delivered';

const asked = (monitor: HeartbeatMonitor, line: string) =>
  until(() => monitor.lines().includes(line), `${line}, asked: ${monitor.lines()}`);

const step = (global_step: number) => ({ metrics: { global_step } });

/** A bridge whose clock runs a hundred times as fast. */
async function setUp(environment: Readonly<Record<string, string>> = {}) {
  const monitor = await startHeartbeatMonitor();
  const started = systemClock().monotonicMs;
  const clock = () => {
    const { unixMs, monotonicMs } = systemClock();
    return { unixMs, monotonicMs: started + (monotonicMs - started) * 100 };
  };
  const url = `${monitor.address}/${secret}`;
  const bridge = await startBridge({ environment: { HEARTBEAT_URL: url, ...environment }, clock });
  return { monitor, bridge };
}

describe('heartbeats', () => {
  it('arrive in the order start, beats, success', async () => {
    const { monitor, bridge } = await setUp();
    await bridge.write(step(1));
    await asked(monitor, `GET /${secret}/start`);
    await bridge.write(step(2));
    await asked(monitor, `GET /${secret}`);
    await bridge.write({ ...step(3), top: { status: 'completed' } });
    await until(() => monitor.requests.length >= 3, 'the success');
    await bridge.stop();
    expect(monitor.lines()).toEqual([`GET /${secret}/start`, `GET /${secret}`, `GET /${secret}`]);
    expect(monitor.requests[0]?.headers['user-agent']).toBe('ml-metrics-bridge/0.0.0');
  });

  it('tell the reason of a fail', async () => {
    const { monitor, bridge } = await setUp();
    await bridge.write({ metrics: { training_loss: Number.NaN } });
    await asked(monitor, `POST /${secret}/fail`);
    expect(monitor.requests.at(-1)?.body).toBe('training_loss is NaN');
  });

  it('of the last moment are sent before the bridge ends', async () => {
    const monitor = await startHeartbeatMonitor();
    const bridge = await startBridge({ environment: { HEARTBEAT_URL: `${monitor.address}/x` } });
    monitor.reply((response) => setTimeout(() => response.end(), 100));
    await bridge.write(step(1));
    replaceFile(bridge.file, exampleText({ top: { status: 'failed', error: { type: 'E', message: 'm' } } }));
    await bridge.stop();
    expect(monitor.lines()).toEqual(['GET /x/start', 'POST /x/fail']);
  });

  it('keep the query and the slash of an address', async () => {
    const monitor = await startHeartbeatMonitor();
    const bridge = await startBridge({ environment: { HEARTBEAT_URL: `${monitor.address}/a/?rid=1&x=2` } });
    await bridge.write(step(1));
    await bridge.write(step(2));
    await until(() => monitor.requests.length >= 2, 'two signals');
    expect(monitor.lines()).toEqual(['GET /a/start?rid=1&x=2', 'GET /a/?rid=1&x=2']);
  });

  it('are repeated after an error of the server', async () => {
    const { monitor, bridge } = await setUp();
    monitor.reply((response) => response.writeHead(monitor.requests.length === 1 ? 500 : 200).end());
    await bridge.write(step(1));
    await until(() => monitor.requests.length >= 2, 'the repetition');
    await until(() => bridge.log.find(({ message }) => message.endsWith('delivered again')), 'the log line');
    expect(monitor.lines()).toEqual([`GET /${secret}/start`, `GET /${secret}/start`]);
    expect(bridge.log.find(({ message }) => message === failed)).toMatchObject({
      level: 'warn',
      signal: 'start',
      reason: 'HTTP status 500',
    });
  });

  it('do not follow redirects', async () => {
    const { monitor, bridge } = await setUp();
    monitor.reply((response) => response.writeHead(302, { location: '/other' }).end());
    await bridge.write(step(1));
    await until(() => bridge.log.find(({ message }) => message === failed), 'the log line');
    await bridge.stop();
    expect(monitor.lines()).toEqual([`GET /${secret}/start`]);
  });

  it('go on with a server that knows only its plain address', async () => {
    const { monitor, bridge } = await setUp();
    monitor.reply((response, { line }) => response.writeHead(line.endsWith('/start') ? 404 : 200).end());
    await bridge.write(step(1));
    await until(() => bridge.log.find(({ message }) => message.includes('told only by beats')), 'the note');
    await bridge.write(step(2));
    await asked(monitor, `GET /${secret}`);
    expect(bridge.log.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
  });

  it('read the address from a file for each request', async () => {
    const file = join(temporaryFolder(), 'url');
    const monitor = await startHeartbeatMonitor();
    const bridge = await startBridge({ environment: { HEARTBEAT_URL_FILE: file } });
    await bridge.write(step(1));
    await until(() => bridge.log.find(({ message }) => message === failed), 'the log line');
    expect(bridge.log.find(({ message }) => message === failed)?.reason).toBe('HEARTBEAT_URL_FILE: ENOENT');
    writeFileSync(file, `${monitor.address}/from-file\n`);
    await asked(monitor, 'GET /from-file/start');
  });
});

describe('a monitor that does not answer', () => {
  it.each([
    ['hangs', () => undefined],
    [
      'answers 500',
      (response: { writeHead(code: number): { end(): void } }) => response.writeHead(500).end(),
    ],
    ['resets', (response: { destroy(): void }) => response.destroy()],
  ])('because it %s delays neither polls, exports nor the end', async (_what, answer) => {
    const monitor = await startHeartbeatMonitor();
    monitor.reply(answer);
    const { receiver, ...bridge } = await startBridge({
      environment: { HEARTBEAT_URL: `${monitor.address}/x`, SHUTDOWN_TIMEOUT: '5' },
    });
    await bridge.write({ metrics: { global_step: 1, training_loss: 4 } });
    await until(() => monitor.requests.length > 0, 'a request');
    await bridge.write({ metrics: { global_step: 2, training_loss: 2 } });
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 2, 'the loss');
    replaceFile(bridge.file, exampleText({ top: { status: 'completed' }, metrics: { training_loss: 1 } }));
    const stopping = performance.now();
    const summary = await bridge.stop();
    expect(performance.now() - stopping).toBeLessThan(5_000);
    expect(summary.undelivered).toBe(0);
    expect(receiver.points('ml.training.loss').at(-1)?.value).toBe(1);
  });
});

describe('the address', () => {
  const printed = async (environment: Readonly<Record<string, string>>, args: readonly string[] = []) => {
    const program = startProcess({ environment: { LOG_LEVEL: 'debug', ...environment }, args });
    if (args.length === 0) {
      await Promise.race([
        until(() => program.log.some(({ message }) => message === failed), failed),
        program.ended,
      ]);
      program.child.kill('SIGTERM');
    }
    await program.ended;
    return program.log.map((line) => JSON.stringify(line)).join('\n') + program.stderr();
  };
  const common = async () => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const file = join(temporaryFolder(), 'current.json');
    replaceFile(file, exampleText());
    return {
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.02',
      SHUTDOWN_TIMEOUT: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    };
  };
  const expectHidden = (output: string) => {
    expect(output).not.toBe('');
    for (const part of ['hunter', 'secret-host']) expect(output).not.toContain(part);
  };

  it.each([
    ['of a server that refuses', async () => `http://127.0.0.1:${await freePort()}/${secret}?key=hunter2`],
    ['of a name that does not exist', async () => `https://hunter:hunter@secret-host.invalid/${secret}?a=b`],
    ['of another scheme', async () => `ftp://secret-host.invalid/${secret}?a=b`],
  ])('%s is never printed', async (_what, url) => {
    const environment = { ...(await common()), HEARTBEAT_URL: await url() };
    const output = await printed(environment);
    expect(output).toMatch(/heartbeat/i);
    expectHidden(output);
    for (const form of [[], ['--output', 'json']])
      expectHidden(await printed(environment, ['check', '--print-config', ...form]));
  });

  it('is only in one of the two variables', async () => {
    const output = await printed({ HEARTBEAT_URL: 'https://secret-host/hunter', HEARTBEAT_URL_FILE: '/x' });
    expect(output).toContain('HEARTBEAT_URL and HEARTBEAT_URL_FILE are both set');
    expectHidden(output);
  });
});

describe('a proxy', () => {
  /** Answers CONNECT for TLS and requests in absolute form, as proxies do. */
  async function startProxy() {
    const lines: string[] = [];
    const proxy = createServer((request, response) => {
      lines.push(`${request.method} ${request.url}`);
      response.end();
    });
    proxy.on('connect', (request, socket) => {
      lines.push(`CONNECT ${request.url}`);
      socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    proxy.listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    onTestFinished(() => {
      proxy.close();
      proxy.closeAllConnections();
    });
    return { lines, address: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  }

  it.each([
    ['http', 'http_proxy', 'GET http://monitor.invalid/x/start'],
    ['https', 'HTTPS_PROXY', 'CONNECT monitor.invalid:443'],
  ])('is used for an address of %s by %s, and not for the Collector', async (scheme, variable, expected) => {
    const proxy = await startProxy();
    const bridge = await startBridge({
      environment: { HEARTBEAT_URL: `${scheme}://monitor.invalid/x`, [variable]: proxy.address },
    });
    await bridge.write(step(1));
    await until(() => proxy.lines.length > 0, 'a request to the proxy');
    expect(proxy.lines[0]).toBe(expected);
    await bridge.stop();
    expect(bridge.receiver.requests.length).toBeGreaterThan(0);
  });

  it('is not used for hosts of NO_PROXY', async () => {
    const proxy = await startProxy();
    const monitor = await startHeartbeatMonitor();
    const environment = {
      HEARTBEAT_URL: `${monitor.address}/x`,
      http_proxy: proxy.address,
      no_proxy: '127.0.0.1',
    };
    const bridge = await startBridge({ environment });
    await bridge.write(step(1));
    await asked(monitor, 'GET /x/start');
    expect(proxy.lines).toEqual([]);
  });

  it('with an invalid address stops heartbeats, and nothing else', async () => {
    const monitor = await startHeartbeatMonitor();
    const environment = { HEARTBEAT_URL: `${monitor.address}/x`, http_proxy: 'http://[hunter' };
    const bridge = await startBridge({ environment });
    await bridge.write(step(1));
    const { reason } = await until(() => bridge.log.find(({ message }) => message === failed), failed);
    expect(reason).not.toContain('hunter');
    expect((await bridge.stop()).undelivered).toBe(0);
  });
});
