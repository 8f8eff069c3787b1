import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../src/receiver/receiver.ts';
import { startBridge } from '../support/bridge.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { type Mischief, startHostileProxy } from '../support/hostile-proxy.ts';
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

it('a Collector that takes 30 s to answer delays neither polling nor health', async () => {
  const { receiver, write, polled } = await startBridge();
  const answered = new AbortController();
  receiver.reply(
    () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve({ status: 'ok' }), 30_000);
        answered.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve({ status: 'ok' });
        });
      }),
  );
  await write({ metrics: { training_loss: 1 } });
  await receiver.waitFor(() => receiver.requests.length === 1, 'the request');
  // While the one request is open, many snapshots are read and the loop, whose turns health looks at, goes on.
  for (let loss = 2; loss <= 50; loss++) await write({ metrics: { training_loss: loss } });
  await polled(100);
  expect(receiver.requests.map(({ reply }) => reply)).toEqual(['hang']);
  receiver.reply(() => ({ status: 'ok' }));
  answered.abort();
  await receiver.waitFor(
    () => new Set(receiver.points('ml.training.loss').map(({ value }) => value)).size === 50,
    'all of them',
  );
});
