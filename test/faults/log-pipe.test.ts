import { execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

/** The bridge with its log in a pipe. */
async function startPiped(environment: Readonly<Record<string, string>> = {}) {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const file = join(temporaryFolder(), 'current.json');
  const child = spawn(process.execPath, [inject('bundle')], {
    env: {
      HEALTH_PORT: '0',
      METRICS_FILE_PATH: file,
      COLLECTION_INTERVAL: '0.01',
      OTEL_METRIC_EXPORT_INTERVAL: '100',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exited = new Promise((resolve) => child.once('exit', (...how) => resolve(how)));
  const dropped = () => Number(receiver.points('ml.bridge.log_lines_dropped').at(-1)?.value ?? 0);
  return { receiver, file, child, exited, dropped };
}

it('a log that nobody reads stops nothing: lines are dropped and counted, and said once it is read', {
  timeout: 60_000,
}, async () => {
  const { receiver, file, child, exited, dropped } = await startPiped();
  const arrived = (loss: number) =>
    receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === loss, `loss ${loss}`);
  const write = async (loss: number) => {
    // A run a write, which is two long lines.
    const job = { job_id: `${loss}`.padEnd(250, 'x'), model_name: 'y'.repeat(250) };
    replaceFile(file, exampleText({ job, metrics: { training_loss: loss } }));
    await arrived(loss);
  };
  let loss = 0;
  await until(
    async () => {
      await write(++loss);
      return dropped() > 10;
    },
    'dropped lines',
    50_000,
  );
  await write(++loss);

  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await until(() => text.includes('Log lines were dropped'), 'the line that says so');
  await write(++loss);
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  await until(() => text.includes('"message":"ml-metrics-bridge ended"'), 'the last line');
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.find(({ message }) => message.startsWith('Log lines were dropped'))?.lines).toBeGreaterThan(
    10,
  );
});

it('nor does it hold up the end', { timeout: 60_000 }, async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const file = join(temporaryFolder(), 'current.json');
  replaceFile(file, exampleText());
  const fifo = join(temporaryFolder(), 'log');
  execFileSync('mkfifo', [fifo]);
  const log = openSync(fifo, constants.O_RDWR);
  onTestFinished(() => closeSync(log));
  const child = spawn(process.execPath, [inject('bundle')], {
    env: {
      HEALTH_PORT: '0',
      METRICS_FILE_PATH: file,
      SHUTDOWN_TIMEOUT: '2',
      // The first line shows the configuration, and is longer than a pipe's 64 KiB.
      OTEL_RESOURCE_ATTRIBUTES: `padding=${'x'.repeat(100_000)}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    },
    stdio: ['ignore', log, 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await receiver.waitFor(() => receiver.points('ml.training.loss').length > 0, 'a loss');
  const startMs = performance.now();
  child.kill('SIGTERM');
  const [code] = await new Promise<[number | null]>((resolve) => child.once('exit', (it) => resolve([it])));
  expect(code).toBe(0);
  expect(performance.now() - startMs).toBeLessThan(3_000);
});

it('a log pipe whose reader is gone stops nothing either', async () => {
  const { receiver, file, child, exited, dropped } = await startPiped();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.destroy();
  for (let loss = 1; loss <= 10; loss++) {
    // A run a write, which the log says.
    replaceFile(file, exampleText({ job: { job_id: `${loss}` }, metrics: { training_loss: loss } }));
    await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === loss, `loss ${loss}`);
  }
  await receiver.waitFor(() => dropped() > 5, 'the dropped lines counted');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(stderr).toBe('');
});

it('nor do metrics that are printed', async () => {
  const { file, child, exited } = await startPiped({
    OTEL_METRICS_EXPORTER: 'console',
    EXPORT_MIN_INTERVAL: '0',
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.destroy();
  const written = performance.now();
  for (let loss = 1; performance.now() - written < 1_000; loss++) {
    replaceFile(file, exampleText({ metrics: { training_loss: loss } }));
    await sleep(20);
  }
  expect(child.exitCode).toBeNull();
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
  expect(stderr).toBe('');
});
