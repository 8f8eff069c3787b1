import { copyFileSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../../../src/commands/demo/receiver/receiver.ts';
import { systemClock } from '../../../../src/common/clock.ts';
import { startBridge, type TestBridge } from '../../../support/bridge.ts';
import { exampleText, replaceFile, temporaryFolder } from '../../../support/file.ts';
import { startProcess } from '../../../support/process.ts';
import { type PostedStatus, type StatusServer, startStatusServer } from '../../../support/status-server.ts';
import { until } from '../../../support/until.ts';

const step = (global_step: number, top = {}) => ({ top, metrics: { global_step, total_steps: 200 } });

/** A bridge whose clock runs a thousand times as fast, so that a status is due every 30 ms. */
async function setUp(environment: Readonly<Record<string, string>> = {}) {
  const server = await startStatusServer();
  const started = systemClock().monotonicMs;
  const clock = () => {
    const { unixMs, monotonicMs } = systemClock();
    return { unixMs, monotonicMs: started + (monotonicMs - started) * 1_000 };
  };
  const bridge = await startBridge({
    environment: {
      STALE_AFTER: '86400',
      STALL_AFTER: '86400',
      SHUTDOWN_TIMEOUT: '86400',
      ...server.environment,
      ...environment,
    },
    clock,
  });
  return { server, bridge };
}

const stateOf = (status: PostedStatus | undefined) =>
  status?.metrics.find(({ name }) => name === 'state')?.value;

const warned = ({ log }: TestBridge, text: string) =>
  until(() => log.find(({ level, message }) => level === 'warn' && message.includes(text)), text);

const arrived = ({ posted }: StatusServer, progress: number) =>
  until(() => posted.find((it) => it.progressPercentage === progress), `${progress} %`);

describe('the status of a TrainJob', () => {
  it('is posted as the run goes on, and at its end', async () => {
    const { server, bridge } = await setUp();
    await bridge.write(step(20));
    await arrived(server, 10);
    await bridge.write(step(100));
    const { lastUpdatedTime } = await arrived(server, 50);
    expect(Math.abs(Date.parse(lastUpdatedTime) - Date.now())).toBeLessThan(60_000);
    await bridge.write(step(200, { status: 'completed' }));
    await bridge.stop();
    expect(server.posted.at(-1)).toMatchObject({ progressPercentage: 100, estimatedRemainingSeconds: 0 });
    expect(stateOf(server.posted.at(-1))).toBe('completed');
    expect(new Set(server.answers)).toEqual(new Set(['POST 200']));
  });

  it('is not posted by other ranks, nor without TRAINJOB_STATUS', async () => {
    for (const other of [{ RANK: '1' }, { TRAINJOB_STATUS: '' }]) {
      const { server, bridge } = await setUp(other);
      await bridge.write(step(20));
      await bridge.polled(3);
      await bridge.stop();
      expect(server.answers).toEqual([]);
    }
  });

  it('is posted with the renewed token and certificate authority', async () => {
    const { server, bridge } = await setUp();
    await bridge.write(step(20));
    await arrived(server, 10);
    server.renewToken('secret-token-2');
    server.renewAuthority();
    await bridge.write(step(100));
    await arrived(server, 50);
  });

  it('is posted later where the server asks for it', async () => {
    const { server, bridge } = await setUp();
    server.reply((response) => response.writeHead(429, { 'retry-after': '1' }).end());
    await bridge.write(step(20));
    await warned(bridge, 'tried again, less often');
    server.reply((response) => response.end());
    await until(
      () => bridge.log.find(({ message }) => message === 'TrainJob status is posted again'),
      'the log line',
    );
    expect(server.posted.at(-1)?.progressPercentage).toBe(10);
  });

  const answering = (status: number, headers = {}, body = '') =>
    ((server) => server.reply((response) => response.writeHead(status, headers).end(body))) as (
      server: StatusServer,
    ) => void;

  it.each<[string, (server: StatusServer) => void, string, Record<string, unknown>]>([
    ['403', answering(403), 'Run inject --trainjob-status on this TrainJob', { reason: 'HTTP status 403' }],
    ['404', answering(404), 'does not know this TrainJob', { reason: 'HTTP status 404' }],
    ['413', answering(413), 'MAX_EXTRA_METRICS', { reason: 'HTTP status 413' }],
    [
      '422',
      answering(422, {}, '{"kind":"Status","message":"progressPercentage: too large"}'),
      'does not accept the content',
      { reason: 'HTTP status 422', detail: 'progressPercentage: too large' },
    ],
    [
      'a redirect',
      answering(307, { location: '/elsewhere' }),
      'Redirects are not followed',
      { reason: 'HTTP status 307' },
    ],
    [
      'a missing certificate authority',
      ({ caFile }) => rmSync(caFile),
      'The feature gate TrainJobStatus',
      { reason: 'ENOENT' },
    ],
    [
      'a missing token',
      ({ tokenFile }) => rmSync(tokenFile),
      'KUBEFLOW_TRAINER_SERVER_TOKEN',
      { reason: 'ENOENT' },
    ],
  ])('explains %s once, and goes on with the metrics', async (_what, breakServer, text, details) => {
    const { server, bridge } = await setUp();
    breakServer(server);
    await bridge.write(step(20));
    expect(await warned(bridge, text)).toMatchObject(details);
    await bridge.polled(50);
    expect(bridge.log.filter(({ message }) => message.includes(text))).toHaveLength(1);
    expect((await bridge.stop()).undelivered).toBe(0);
    expect(JSON.stringify(bridge.log)).not.toContain('secret-token');
    expect(server.answers).not.toContain('GET 404');
  });

  it('is not posted to a server of another authority', async () => {
    const { server, bridge } = await setUp();
    const other = await startStatusServer();
    copyFileSync(other.caFile, server.caFile);
    await bridge.write(step(20));
    await warned(bridge, 'cannot be posted');
    expect(server.answers).toEqual([]);
  });
});

/** The bridge in a process of its own. */
function startBridgeProcess(server: StatusServer, environment: Readonly<Record<string, string>>) {
  const file = join(temporaryFolder(), 'current.json');
  const program = startProcess({
    environment: {
      ...server.environment,
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.02',
      ...environment,
    },
  });
  return { file, program };
}

describe('a status server that does not answer', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['hangs', () => undefined],
    ['answers 503', (response) => response.writeHead(503).end()],
    ['resets', (response) => response.destroy()],
  ])('because it %s delays neither polls nor exports, nor the end of the process', async (_what, answer) => {
    const server = await startStatusServer();
    server.reply(answer);
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const { file, program } = startBridgeProcess(server, {
      SHUTDOWN_TIMEOUT: '2',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    });
    const loss = (training_loss: number) => {
      replaceFile(file, exampleText({ metrics: { training_loss } }));
      return receiver.waitFor(
        () => receiver.points('ml.training.loss').at(-1)?.value === training_loss,
        `the loss ${training_loss}`,
      );
    };
    await loss(4);
    await until(() => server.posted.length > 0, 'a post');
    await loss(3);
    replaceFile(file, exampleText({ metrics: { training_loss: 2 } }));
    const stopping = performance.now();
    program.child.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(performance.now() - stopping).toBeLessThan(2_500);
    expect(receiver.points('ml.training.loss').at(-1)?.value).toBe(2);
    expect(program.log.map(({ message }) => message)).toContain(
      'The last TrainJob status was not posted in time',
    );
  });
});

describe('a process that gets SIGTERM', () => {
  it('posts the last values and the end', async () => {
    const server = await startStatusServer();
    const { file, program } = startBridgeProcess(server, { OTEL_METRICS_EXPORTER: 'none' });
    replaceFile(file, exampleText(step(20)));
    await arrived(server, 10);
    replaceFile(file, exampleText(step(200)));
    program.child.kill('SIGTERM');
    expect(await program.ended).toEqual({ code: 0, signal: null });
    expect(server.posted.at(-1)?.progressPercentage).toBe(100);
    expect(stateOf(server.posted.at(-1))).toBe('ended');
  });
});
