import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { exampleText, replaceFile, temporaryFolder } from '../../support/file.ts';
import { createHangSwitch } from '../../support/hang.ts';
import { startProcess, type TestProcess } from '../../support/process.ts';
import { until } from '../../support/until.ts';
import { docker, dockerOutput } from '../compose/docker.ts';

const timeoutMs = 2_000;
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const rankStep = 'ml.training.rank.step';

async function setUp(environment: Readonly<Record<string, string>> = {}) {
  const hang = createHangSwitch();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  const file = join(hang.folder, 'current.json');
  replaceFile(file, exampleText());
  const start = (more: Readonly<Record<string, string>> = {}, args: readonly string[] = []) =>
    startProcess({
      args,
      environment: {
        METRICS_FILE_PATH: file,
        COLLECTION_INTERVAL: '0.05',
        OTEL_METRIC_EXPORT_INTERVAL: '100',
        SHUTDOWN_TIMEOUT: String(timeoutMs / 1000),
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
        ...hang.environment,
        ...environment,
        ...more,
      },
    });
  return { hang, receiver, file, start };
}

/** The bound is the promise itself. */
async function endsInTime({ child, ended, stderr }: TestProcess) {
  const startMs = performance.now();
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - startMs).toBeLessThan(timeoutMs + 1_000);
  expect(stderr()).toBe('');
}

/** Writes an epoch with each of these losses, from 1 on, once the bridge has read the one before. */
async function writeEpochs(file: string, losses: readonly number[], bridge: TestProcess) {
  for (const loss of losses) {
    replaceFile(file, exampleText({ metrics: { epoch: loss, training_loss: loss } }));
    const isRead = () =>
      loss === 1 || bridge.log.some(({ message, epoch }) => message === 'Epoch ended' && epoch === loss - 1);
    await until(isRead, `loss ${loss} to be read`);
    await bridge.said('Training run began');
  }
}

describe('the process is gone in time', () => {
  it('while open() of the metrics file hangs', async () => {
    const { hang, receiver, file, start } = await setUp();
    const bridge = start();
    await receiver.waitFor(() => receiver.points('ml.training.loss').length > 0, 'the loss');
    hang.on();
    replaceFile(file, exampleText({ metrics: { training_loss: 2 } }));
    await bridge.said('Reading the metrics file hangs; the volume may not answer');
    const seen = receiver.requests.length;
    await receiver.waitFor(() => receiver.requests.length > seen + 3, 'heartbeats');
    expect(receiver.requests.at(-1)?.points.map(({ metric }) => metric)).toContain('ml.training.loss');
    await endsInTime(bridge);
  });

  it('when open() begins to hang just before SIGTERM', async () => {
    const { hang, receiver, file, start } = await setUp();
    const bridge = start({ COLLECTION_INTERVAL: '60' });
    await receiver.waitFor(() => receiver.points('ml.training.loss').length > 0, 'the loss');
    hang.on();
    replaceFile(file, exampleText({ metrics: { training_loss: 2 } }));
    await endsInTime(bridge);
    const states = receiver.points('ml.training.run.state').filter(({ value }) => value === 1);
    expect(states.at(-1)?.attributes.state).toBe('ended');
  });

  it('while the name server does not answer', async () => {
    const { hang, start } = await setUp();
    hang.on();
    const file = join(temporaryFolder(), 'current.json');
    replaceFile(file, exampleText());
    const bridge = start({
      METRICS_FILE_PATH: file,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example:4317',
    });
    await bridge.said('Training run began');
    await endsInTime(bridge);
  });

  it('while open() of the files of other ranks hangs, and the metrics file is read all the same', async () => {
    const { hang, receiver, start } = await setUp();
    const folder = temporaryFolder();
    const file = join(folder, 'current.json');
    replaceFile(file, exampleText());
    // More than libuv has threads.
    for (let rank = 1; rank <= 8; rank++)
      replaceFile(join(hang.folder, `rank-${rank}.json`), JSON.stringify({ rank, global_step: rank }));
    const more = { METRICS_FILE_PATH: file, RANK_FILES: join(hang.folder, 'rank-*.json'), STALE_AFTER: '3' };
    const bridge = start(more);
    const ranks = () => receiver.requests.at(-1)?.points.filter(({ metric }) => metric === rankStep) ?? [];
    await receiver.waitFor(() => ranks().length === 8, 'eight ranks');
    hang.on();
    const write = async (training_loss: number) => {
      replaceFile(file, exampleText({ metrics: { training_loss } }));
      const arrived = () => receiver.points('ml.training.loss').at(-1)?.value === training_loss;
      await receiver.waitFor(arrived, `loss ${training_loss}`);
    };
    await write(2);
    await bridge.said('Reading the rank files hangs; the volume may not answer');
    await write(3);
    let loss = 3;
    await until(async () => {
      await write(++loss);
      return ranks().length === 0;
    }, 'values that were last read before STALE_AFTER to disappear');
    await endsInTime(bridge);
  });

  it('while open() of a file that is watched hangs', async () => {
    const { hang, file, start } = await setUp();
    const watch = start({}, ['watch', file]);
    await until(() => watch.log.some(({ message }) => message.includes('training_loss 1.2345')), 'the loss');
    hang.on();
    replaceFile(file, exampleText({ metrics: { training_loss: 2 } }));
    await endsInTime(watch);
  });

  it('while open() of the file of one frame hangs, which says so', async () => {
    const { hang, file, start } = await setUp();
    hang.on();
    const watch = start({}, ['watch', '--once', file]);
    expect(await watch.ended).toEqual({ code: 1, signal: null });
    expect(watch.log.map(({ message }) => message).join('\n')).toMatch(/reading it has not returned for 5 s/);
    expect(watch.stderr()).toBe('');
  });

  it('while the folder of the export queue hangs', async () => {
    const { hang, receiver, start } = await setUp();
    const queue = join(hang.folder, 'queue');
    mkdirSync(queue);
    receiver.reply(() => ({ status: 'error', code: 14 }));
    const file = join(temporaryFolder(), 'current.json');
    const bridge = start({ METRICS_FILE_PATH: file, EXPORT_QUEUE_DIR: queue });
    await receiver.waitFor(() => receiver.requests.length > 0, 'a request');
    hang.on();
    replaceFile(file, exampleText());
    await bridge.said('Training run began');
    await endsInTime(bridge);
  });
});

it('a queue folder that hangs is one warning, and what memory holds is sent with its own times', async () => {
  const { hang, receiver, start } = await setUp();
  const queue = join(hang.folder, 'queue');
  mkdirSync(queue);
  receiver.reply(() => ({ status: 'error', code: 14 }));
  const file = join(temporaryFolder(), 'current.json');
  const bridge = start({ METRICS_FILE_PATH: file, EXPORT_QUEUE_DIR: queue, LOG_LEVEL: 'debug' });
  await until(() => bridge.log.some(({ level }) => level === 'debug'), 'the first poll');
  hang.on();
  const losses = [1, 2, 3, 4, 5];
  await writeEpochs(file, losses, bridge);
  const warning = await bridge.said(
    'Folder of the export queue cannot be written: queued snapshots are kept only in memory',
  );
  expect(warning).toMatchObject({ level: 'warn', path: queue, reason: 'it has not answered for 5 s' });
  receiver.reply(() => ({ status: 'ok' }));
  const points = () => receiver.points('ml.training.loss');
  await receiver.waitFor(() => points().at(-1)?.value === 5, 'the last loss');
  const byTime = new Map(points().map(({ timeMs, value }) => [timeMs, value]));
  expect([...new Set(byTime.values())]).toEqual(losses);
  expect(
    bridge.log.filter(({ level, message }) => level === 'warn' && message === warning.message),
  ).toHaveLength(1);
  await endsInTime(bridge);
});

it('a queue folder of which the files hang when they are read stops neither polling nor what is in memory', async () => {
  const { hang, receiver, start } = await setUp();
  const queue = join(hang.folder, 'queue');
  mkdirSync(queue);
  receiver.reply(() => ({ status: 'error', code: 14 }));
  const file = join(temporaryFolder(), 'current.json');
  const bridge = start({ METRICS_FILE_PATH: file, EXPORT_QUEUE_DIR: queue, EXPORT_QUEUE_SIZE: '2' });
  const write = (loss: number) => replaceFile(file, exampleText({ metrics: { training_loss: loss } }));
  const stored = () =>
    readdirSync(queue, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.otlp')).length;
  // More than Node has threads, and more than memory holds.
  for (let loss = 1; loss <= 8; loss++) {
    write(loss);
    await until(() => stored() === loss, `loss ${loss} in the folder`);
  }
  hang.on();
  const warning = await bridge.said(
    'Folder of the export queue cannot be written: queued snapshots are kept only in memory',
  );
  expect(warning.reason).toBe('it has not answered for 5 s');
  receiver.reply(() => ({ status: 'ok' }));
  const arrived = () => [...new Set(receiver.points('ml.training.loss').map(({ value }) => value))];
  for (const loss of [9, 10]) {
    write(loss);
    await receiver.waitFor(() => arrived().includes(loss), `loss ${loss}`, 20_000);
  }
  expect(arrived()).not.toContain(1);
  hang.off();
  await receiver.waitFor(() => arrived().includes(1), 'what is in the folder', 20_000);
  await until(() => stored() === 0, 'an empty folder');
  expect(arrived().toSorted((a, b) => Number(a) - Number(b))).toEqual(upTo(10));
  const messages = bridge.log.map(({ message }) => message);
  expect(messages).not.toContain('Reading the metrics file hangs; the volume may not answer');
  await endsInTime(bridge);
});

it('while the name server does not answer, polling goes on, and what was read arrives once it does', async () => {
  const { hang, receiver, start } = await setUp();
  hang.on();
  const file = join(temporaryFolder(), 'current.json');
  const bridge = start({
    METRICS_FILE_PATH: file,
    LOG_LEVEL: 'debug',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://collector.example:${receiver.port}`,
    OTEL_EXPORTER_OTLP_TIMEOUT: '100',
  });
  const losses = upTo(60);
  await writeEpochs(file, losses, bridge);
  const warning = await bridge.said(
    'Collector cannot be reached: snapshots wait and are sent when it is back',
  );
  expect(warning.reason).toContain('name resolution');
  hang.off();
  await receiver.waitFor(() => receiver.points('ml.training.loss').at(-1)?.value === 60, 'the last loss');
  expect([...new Set(receiver.points('ml.training.loss').map(({ value }) => value))]).toEqual(losses);
  const retries = () =>
    receiver.points('ml.bridge.exports').findLast(({ attributes }) => attributes.outcome === 'retry');
  // More attempts than Node has threads.
  await receiver.waitFor(() => Number(retries()?.value) > 8, 'the attempts counted');
  const messages = bridge.log.map(({ message }) => message);
  expect(messages).not.toContain('Reading the metrics file hangs; the volume may not answer');
  await endsInTime(bridge);
});

it('in the image, as PID 1', async () => {
  const image = 'ml-metrics-bridge:latest';
  await docker(['compose', 'build', 'otel-metrics-bridge']);
  const folder = temporaryFolder();
  chmodSync(folder, 0o755);
  execFileSync('mkfifo', ['-m', '666', join(folder, 'headers')]);
  const id = (
    await docker([
      ...['run', '--detach', '--volume', `${folder}:/hang`, '--env', 'SHUTDOWN_TIMEOUT=2'],
      ...['--env', 'OTEL_EXPORTER_OTLP_HEADERS_FILE=/hang/headers', image],
    ])
  ).trim();
  onTestFinished(() => void docker(['rm', '--force', id]));
  await until(
    async () => (await dockerOutput(['logs', id])).includes('ml-metrics-bridge started'),
    'the start',
  );
  const startMs = performance.now();
  await docker(['stop', '--timeout', '60', id]);
  // What Docker itself takes, on top of the promise.
  expect(performance.now() - startMs).toBeLessThan(timeoutMs + 1_000 + 2_000);
  expect((await docker(['inspect', '--format', '{{.State.ExitCode}}', id])).trim()).toBe('0');
  for (const line of (await dockerOutput(['logs', id])).trimEnd().split('\n')) JSON.parse(line);
});
