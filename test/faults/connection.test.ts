import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startHealthServer } from '../../src/bridge/lifecycle/health.ts';
import { createLiveness } from '../../src/bridge/lifecycle/liveness.ts';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { systemClock } from '../../src/common/clock.ts';
import { deferred } from '../../src/common/timing.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { startBridge } from '../support/bridge.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { type Mischief, startHostileProxy } from '../support/hostile-proxy.ts';
import { freePort } from '../support/port.ts';
import { startProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

const mischiefs: readonly Mischief[] = ['drop', 'delay', 'reset', 'truncate', 'garbage'];

/** Anonymous memory as the kernel counts it. */
const anonymousBytes = (pid: number | undefined) =>
  1024 * Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);

it.runIf(process.platform === 'linux')(
  'a network that drops, delays, resets, truncates and answers garbage ends no bridge, costs little memory and is recovered from each time',
  { timeout: 120_000 },
  async () => {
    const receiver = await startReceiver();
    onTestFinished(() => receiver.stop());
    const proxy = await startHostileProxy(receiver.port);
    const file = join(temporaryFolder(), 'current.json');
    let loss = 0;
    const write = () => replaceFile(file, exampleText({ metrics: { training_loss: ++loss } }));
    write();
    const bridge = startProcess({
      environment: {
        METRICS_FILE_PATH: file,
        COLLECTION_INTERVAL: '0.01',
        OTEL_METRIC_EXPORT_INTERVAL: '50',
        OTEL_EXPORTER_OTLP_TIMEOUT: '200',
        OTEL_EXPORTER_OTLP_ENDPOINT: proxy.endpoint,
      },
    });
    const arrived = () => new Set(receiver.points('ml.training.loss').map(({ value }) => value));
    const recovered = async () => {
      write();
      await until(() => arrived().has(loss), `loss ${loss}`);
    };
    await recovered();
    const before = anonymousBytes(bridge.child.pid);
    for (let round = 0; round < 4; round++)
      for (const mischief of mischiefs) {
        const done = proxy.done[mischief];
        proxy.turn(mischief);
        write();
        await until(() => proxy.done[mischief] > done + 1 || arrived().has(loss), mischief);
        proxy.turn('pass');
        await recovered();
      }
    expect(anonymousBytes(bridge.child.pid) - before).toBeLessThan(32 * 2 ** 20);
    expect(Math.min(...mischiefs.map((mischief) => proxy.done[mischief]))).toBeGreaterThan(0);
    bridge.child.kill('SIGTERM');
    expect(await bridge.ended).toEqual({ code: 0, signal: null });
    expect(bridge.log.at(-1)).toMatchObject({ runs: 1, undelivered: 0 });
    expect([...arrived()]).toContain(loss);
  },
);

it.runIf(process.platform === 'linux').each([
  ['refused', async () => ({ port: await freePort(), stop: async () => undefined })],
  ['neither accepted nor refused', startBlackHole],
])('while connections are %s, polling goes on, and all that was read arrives later', async (_how, start) => {
  const { port, stop } = await start();
  const { write, log } = await startBridge({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '200',
      OTEL_METRIC_EXPORT_INTERVAL: '50',
      // The receiver is stopped first.
      SHUTDOWN_TIMEOUT: '0.3',
    },
  });
  const lines = () => log.filter(({ level }) => level === 'warn' || level === 'error');
  for (let loss = 1; loss <= 20; loss++) await write({ metrics: { training_loss: loss } });
  await until(() => lines().length > 0, 'the warning');
  for (let loss = 21; loss <= 40; loss++) await write({ metrics: { training_loss: loss } });
  await stop();
  const receiver = await startReceiver({ port });
  onTestFinished(() => receiver.stop());
  const arrived = () => [...new Set(receiver.points('ml.training.loss').map(({ value }) => value))];
  await receiver.waitFor(() => arrived().includes(40), 'the last');
  expect(arrived()).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  expect(lines()).toMatchObject([
    { level: 'warn', message: 'Collector cannot be reached: snapshots wait and are sent when it is back' },
  ]);
});

it('a name that cannot be resolved is no answer', async () => {
  const { write, log } = await startBridge({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.invalid:4317',
      SHUTDOWN_TIMEOUT: '0.3',
    },
  });
  await write({ metrics: { training_loss: 1 } });
  const lines = () => log.filter(({ level }) => level === 'warn' || level === 'error');
  await until(() => lines().length > 0, 'the warning');
  expect(lines()).toMatchObject([
    {
      level: 'warn',
      message: 'Collector cannot be reached: snapshots wait and are sent when it is back',
      reason: expect.stringContaining('collector.invalid'),
      advice: expect.stringMatching(/OTEL_EXPORTER_OTLP_ENDPOINT|DNS/),
    },
  ]);
});

it('a Collector that is slow to answer delays neither polling nor health', async () => {
  // Moved by the test, so that health is good only where polls go on, however fast the machine.
  let monotonicMs = 0;
  const liveness = createLiveness(() => ({ ...systemClock(), monotonicMs }), 2);
  const health = await startHealthServer(0, liveness);
  if (health.status === 'failed') throw new Error(health.reason);
  onTestFinished(() => health.close());
  const livez = async () => (await fetch(`http://127.0.0.1:${health.port}/livez`)).status;
  const { receiver, write, polled } = await startBridge({
    onPoll: ({ outcome }) => liveness.polled(outcome.status),
  });
  const answer = deferred<{ readonly status: 'ok' }>();
  receiver.reply(() => answer.promise);
  await write({ metrics: { training_loss: 1 } });
  await receiver.waitFor(() => receiver.requests.length === 1, 'the request');
  for (let loss = 2; loss <= 50; loss++) await write({ metrics: { training_loss: loss } });
  for (let hour = 0; hour < 10; hour++) {
    monotonicMs += 3_600_000;
    await polled(2);
    expect(await livez()).toBe(200);
  }
  expect(receiver.requests.map(({ reply }) => reply)).toEqual(['hang']);
  receiver.reply(() => ({ status: 'ok' }));
  answer.resolve({ status: 'ok' });
  await receiver.waitFor(
    () => new Set(receiver.points('ml.training.loss').map(({ value }) => value)).size === 50,
    'all of them',
  );
});
