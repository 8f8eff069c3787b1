import { execFileSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import type { Receiver } from '../../src/commands/demo/receiver/receiver.ts';
import { blockedThread } from '../support/blocked-thread.ts';
import { type DeliveringProcessOptions, startDeliveringProcess } from '../support/delivering-process.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { freePort } from '../support/port.ts';
import type { TestProcess } from '../support/process.ts';
import { until } from '../support/until.ts';

const setUp = (options: Pick<DeliveringProcessOptions, 'preload' | 'environment'> = {}) =>
  startDeliveringProcess({ content: exampleText(), ...options });

const lossIs = (receiver: Receiver, loss: number) =>
  receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === loss, `loss ${loss}`);

/** Signals and waits for the end. The bound is the promise itself: SHUTDOWN_TIMEOUT and a second. */
async function endsInTime({ child, ended }: TestProcess, timeoutMs: number, expectedCode = 0) {
  const startMs = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: expectedCode, signal: null });
  expect(performance.now() - startMs).toBeLessThan(timeoutMs + 1_000);
}

it('while a read hangs, series stay, the outcome is hung, and the bridge is live but not ready', async () => {
  const thread = blockedThread();
  const port = await freePort();
  const { receiver, file, bridge } = await setUp({
    preload: thread.preload,
    environment: { OTEL_METRIC_EXPORT_INTERVAL: '100', HEALTH_PORT: String(port) },
  });
  await lossIs(receiver, 1.2345);
  bridge.child.kill('SIGUSR2');
  await bridge.said('a thread is blocked');
  const line = await bridge.said('Reading the metrics file hangs; the volume may not answer');
  expect(line).toMatchObject({ level: 'error', path: file });

  const seen = receiver.requests.length;
  await receiver.waitFor(() => receiver.requests.length > seen + 5, 'heartbeats');
  const ages = receiver.requests.slice(seen).map(({ points }) => {
    const names = points.map(({ metric }) => metric);
    expect(names).toContain('ml.training.loss');
    expect(names).toContain('ml.training.batch_number');
    return points.find(({ metric }) => metric === 'ml.bridge.file.age')?.value as number;
  });
  expect(ages).toEqual(ages.toSorted((a, b) => a - b));
  expect(ages.at(-1)).toBeGreaterThan(ages[0] as number);
  const hung = receiver
    .points('ml.bridge.snapshots')
    .filter(({ attributes }) => attributes.outcome === 'hung');
  expect(hung.at(-1)?.value).toBeGreaterThan(0);
  const health = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`);
    return { code: response.status, body: await response.json() };
  };
  const body = { reason: expect.stringContaining('(hung)') };
  expect(await health('livez')).toMatchObject({ code: 200, body });
  expect(await health('readyz')).toMatchObject({ code: 503, body });

  replaceFile(file, exampleText({ metrics: { training_loss: 7, batch_number: 46 } }));
  await thread.release();
  await lossIs(receiver, 7);
  await bridge.said('Metrics file is readable again');
  expect(await health('readyz')).toMatchObject({ code: 200 });
  await endsInTime(bridge, 10_000);
});

it('a read that returns late is used at once, not at the next poll', async () => {
  const thread = blockedThread('start');
  const { receiver, bridge } = await setUp({
    preload: thread.preload,
    environment: { COLLECTION_INTERVAL: '3600' },
  });
  await bridge.said('Reading the metrics file hangs; the volume may not answer');
  expect(receiver.points('ml.training.loss')).toEqual([]);
  await thread.release();
  await lossIs(receiver, 1.2345);
});

it.each([
  ['answers', 'ok'],
  ['hangs, too', 'hang'],
] as const)(
  'a thread that is blocked does not keep the process alive while the Collector %s',
  async (_name, status) => {
    const { preload } = blockedThread();
    const { receiver, bridge } = await setUp({ preload, environment: { SHUTDOWN_TIMEOUT: '2' } });
    await lossIs(receiver, 1.2345);
    receiver.reply(() => ({ status }));
    bridge.child.kill('SIGUSR2');
    await bridge.said('a thread is blocked');
    await endsInTime(bridge, 2_000);
    expect(bridge.stderr()).toBe('');
    const states = receiver.points('ml.training.run.state').filter(({ value }) => value === 1);
    if (status === 'ok') expect(states.at(-1)?.attributes.state).toBe('ended');
  },
);

it('nor does it change the exit code of a failure', async () => {
  const { preload } = blockedThread();
  const trap = join(temporaryFolder(), 'trap.cjs');
  writeFileSync(
    trap,
    `require(${JSON.stringify(preload)}); process.on('SIGHUP', () => { throw new Error('escaped'); });`,
  );
  const { receiver, bridge } = await setUp({ preload: trap, environment: { SHUTDOWN_TIMEOUT: '2' } });
  await lossIs(receiver, 1.2345);
  bridge.child.kill('SIGUSR2');
  await bridge.said('a thread is blocked');
  const startMs = performance.now();
  bridge.child.kill('SIGHUP');
  expect(await bridge.ended).toEqual({ code: 1, signal: null });
  expect(performance.now() - startMs).toBeLessThan(3_000);
});

it('nor does a second signal wait for it', async () => {
  const { preload } = blockedThread();
  const { receiver, bridge } = await setUp({ preload, environment: { SHUTDOWN_TIMEOUT: '60' } });
  await lossIs(receiver, 1.2345);
  receiver.reply(() => ({ status: 'hang' }));
  bridge.child.kill('SIGUSR2');
  await bridge.said('a thread is blocked');
  bridge.child.kill('SIGTERM');
  await bridge.said('Shutting down');
  await new Promise((resolve) => setTimeout(resolve, 200));
  bridge.child.kill('SIGTERM');
  expect(await bridge.ended).toEqual({ code: 143, signal: null });
});

it('a file of headers that hangs at the start holds up neither polling nor the end', async () => {
  const headers = join(temporaryFolder(), 'headers');
  execFileSync('mkfifo', [headers]);
  const { bridge } = await setUp({
    environment: { OTEL_EXPORTER_OTLP_HEADERS_FILE: headers, SHUTDOWN_TIMEOUT: '1' },
  });
  await bridge.said('Training run began');
  await bridge.said('Credentials cannot be read: nothing is sent until they can');
  await endsInTime(bridge, 1_000);
});

it('a file of headers that hangs later occupies one thread: values arrive with the headers read last, and the log names the file', async () => {
  const folder = temporaryFolder();
  const [headers, fifo] = [join(folder, 'headers'), join(folder, 'fifo')];
  writeFileSync(headers, 'tenant=a');
  const { receiver, file, bridge } = await setUp({
    environment: {
      OTEL_EXPORTER_OTLP_HEADERS_FILE: headers,
      SHUTDOWN_TIMEOUT: '2',
    },
  });
  await lossIs(receiver, 1.2345);
  execFileSync('mkfifo', [fifo]);
  renameSync(fifo, headers);
  // More exports than Node has threads.
  let waitedMs = 0;
  for (let loss = 1; loss <= 10; loss++) {
    const startMs = performance.now();
    replaceFile(file, exampleText({ metrics: { training_loss: loss } }));
    await lossIs(receiver, loss);
    if (loss > 1) waitedMs += performance.now() - startMs;
  }
  // Only the first waits, for 3 seconds.
  expect(waitedMs).toBeLessThan(3_000);
  const line = await bridge.said('Credentials cannot be read: the previous ones stay in use');
  expect(line.problems).toEqual([
    `reading OTEL_EXPORTER_OTLP_HEADERS_FILE (${headers}) has not returned; the volume may not answer`,
  ]);
  expect(bridge.log.filter(({ message }) => message.includes('hangs'))).toEqual([]);
  await endsInTime(bridge, 2_000);
});

it('SIGTERM while the code of the bridge is loaded does not end the process without an export', async () => {
  const trap = join(temporaryFolder(), 'trap.cjs');
  // The code of the bridge needs this module. At once, a signal without a listener ends the process.
  writeFileSync(
    trap,
    `const module_ = require('node:module');
     const load = module_._load;
     module_._load = function (request, ...rest) {
       if (/^(node:)?http2$/.test(request)) {
         module_._load = load;
         process.kill(process.pid, 'SIGTERM');
       }
       return load.call(this, request, ...rest);
     };`,
  );
  const { receiver, bridge } = await setUp({ preload: trap });
  expect(await bridge.ended).toEqual({ code: 0, signal: null });
  expect(bridge.log.filter(({ message }) => message === 'Shutting down')).toHaveLength(1);
  expect(receiver.points('ml.training.loss').at(-1)?.value).toBe(1.2345);
});

it('SIGTERM from the first line of main on brings the value that is in the file', async () => {
  const folder = temporaryFolder();
  const trap = join(folder, 'trap.mjs');
  // As soon as something listens, which is long before the bridge is loaded.
  writeFileSync(
    trap,
    `process.on('newListener', function signal(name) {
       if (name !== 'SIGTERM') return;
       process.off('newListener', signal);
       process.nextTick(() => process.kill(process.pid, 'SIGTERM'));
     });`,
  );
  const { receiver, bridge } = await setUp({ preload: pathToFileURL(trap).href });
  expect(await bridge.ended).toEqual({ code: 0, signal: null });
  expect(receiver.points('ml.training.loss').at(-1)?.value).toBe(1.2345);
  await until(() => bridge.log.at(-1)?.message === 'ml-metrics-bridge ended', 'the last line');
  expect(bridge.log.filter(({ message }) => message === 'Shutting down')).toHaveLength(1);
});

it('a bridge of which nothing hangs ends without replacing itself', async () => {
  const trap = join(temporaryFolder(), 'trap.cjs');
  writeFileSync(trap, `process.execve = () => console.log('execve');`);
  const { receiver, bridge } = await setUp({ preload: trap });
  await lossIs(receiver, 1.2345);
  await endsInTime(bridge, 10_000);
  expect(bridge.log.filter(({ message }) => message === 'execve')).toEqual([]);
});
