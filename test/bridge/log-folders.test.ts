import { appendFileSync, copyFileSync, mkdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findLogs } from '../../src/snapshot/log/find-logs.ts';
import { createLogSource } from '../../src/snapshot/log/log-source.ts';
import { startBridge } from '../support/bridge.ts';
import { temporaryFolder } from '../support/file.ts';

const line = (fields: object) => `${JSON.stringify(fields)}\n`;

function logIn(root: string, ...names: string[]): string {
  const path = join(root, ...names);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '');
  return path;
}

describe('the files of the newest run', () => {
  it('are all event files in its folder and below it', async () => {
    const root = temporaryFolder();
    const old = logIn(root, 'runs', 'a', 'events.out.tfevents.1.host');
    utimesSync(old, 1, 1);
    const own = logIn(root, 'runs', 'b', 'events.out.tfevents.2.host');
    const part = logIn(root, 'runs', 'b', 'both_train', 'events.out.tfevents.3.host');
    for (const path of [root, join(root, 'runs', '*', 'events.*')])
      expect(await findLogs(path)).toEqual({ folder: join(root, 'runs', 'b'), paths: [part, own] });
  });

  it('are those of train/ and validation/ together', async () => {
    const root = temporaryFolder();
    const train = logIn(root, 'logs', 'train', 'events.out.tfevents.1.host.v2');
    const validation = logIn(root, 'logs', 'validation', 'events.out.tfevents.2.host.v2');
    expect(await findLogs(root)).toEqual({ folder: join(root, 'logs'), paths: [train, validation] });
  });

  it('is the file that was written last, of other logs', async () => {
    const root = temporaryFolder();
    utimesSync(logIn(root, 'version_0', 'metrics.csv'), 1, 1);
    const newest = logIn(root, 'version_1', 'metrics.csv');
    expect(await findLogs(join(root, '*', 'metrics.csv'))).toEqual({
      folder: join(root, 'version_1'),
      paths: [newest],
    });
  });

  it('are none in an empty folder, and where nothing matches', async () => {
    const root = temporaryFolder();
    for (const path of [root, join(root, '*.csv'), join(root, 'missing')])
      expect(await findLogs(path)).toBeUndefined();
  });
});

describe.each(['', '*/train.jsonl'])('METRICS_FILE_PATH=FOLDER/%s', (pattern) => {
  it('follows the newest run, and is named by its folder', async () => {
    const root = temporaryFolder();
    const { receiver } = await startBridge({
      file: join(root, pattern),
      environment: { EXPORT_MIN_INTERVAL: '0', METRICS_START: 'beginning' },
    });
    const path = logIn(root, 'llama-sft', 'train.jsonl');
    appendFileSync(path, [1, 2, 3].map((step) => line({ step, loss: step })).join(''));
    const losses = () => receiver.points('ml.training.loss');
    await receiver.waitFor(() => losses().at(-1)?.value === 3, 'the loss');
    expect(new Set(losses().map(({ value }) => value))).toEqual(new Set([1, 2, 3]));
    expect(losses().at(-1)?.attributes['job.id']).toBe('llama-sft');
  });
});

it('all of a log is read that appears in a folder without one', async () => {
  const root = temporaryFolder();
  const { receiver, outcome } = await startBridge({ file: root, environment: { EXPORT_MIN_INTERVAL: '0' } });
  await outcome('not_a_file');
  const written = logIn(temporaryFolder(), 'train.jsonl');
  appendFileSync(written, [1, 2, 3].map((step) => line({ step, loss: step })).join(''));
  mkdirSync(join(root, 'run'));
  renameSync(written, join(root, 'run', 'train.jsonl'));
  const losses = () => receiver.points('ml.training.loss').map(({ value }) => value);
  await receiver.waitFor(() => losses().at(-1) === 3, 'the loss');
  expect(new Set(losses())).toEqual(new Set([1, 2, 3]));
});

function sourceAt(path: string, now: () => number) {
  const source = createLogSource({
    path,
    clock: () => ({ unixMs: now(), monotonicMs: now() }),
    startedUnixMs: now(),
    format: 'auto',
    start: 'beginning',
    job: { jobId: undefined, modelName: undefined, dataset: undefined },
  });
  onTestFinished(() => source.close?.());
  return source;
}

describe('several runs', () => {
  it('of which two are written: the newer is followed, and none is read twice', async () => {
    const root = temporaryFolder();
    let nowMs = Date.now();
    const source = sourceAt(root, () => nowMs);
    const losses: (number | undefined)[] = [];
    const pollTwice = async () => {
      for (let poll = 0; poll < 2; poll++) {
        const { outcome } = await source.poll();
        if (outcome.status === 'ok')
          losses.push(...outcome.snapshots.map(({ snapshot }) => snapshot.values.training_loss));
        nowMs += 11_000;
      }
    };
    const write = (path: string, step: number, loss: number) => {
      appendFileSync(path, line({ step, loss }));
      utimesSync(path, nowMs / 1_000, nowMs / 1_000);
    };
    const first = logIn(root, 'first', 'train.jsonl');
    write(first, 1, 1);
    await pollTwice();
    const second = logIn(root, 'second', 'train.jsonl');
    write(first, 2, 2);
    write(second, 1, 11);
    await pollTwice();
    write(first, 3, 3);
    await pollTwice();
    write(second, 2, 12);
    await pollTwice();
    expect(losses).toEqual([1, 2, 11, 12]);
  });

  it('are not read twice from a second file of the same content', async () => {
    const folder = temporaryFolder();
    const scalars = logIn(folder, 'scalars.json');
    const copy = logIn(folder, '20261127_100000.json');
    let nowMs = Date.now();
    const source = sourceAt(join(folder, '*.json'), () => nowMs);
    const steps: (number | undefined)[] = [];
    for (let step = 1; step <= 6; step++) {
      for (const path of [scalars, copy]) {
        appendFileSync(path, line({ loss: 1, data_time: 0.1, time: 0.1, epoch: 1, iter: step, step }));
        // The file that was written last is now the one, now the other.
        const isLast = (path === copy) === (step % 2 === 0);
        utimesSync(path, nowMs / 1_000, nowMs / 1_000 + (isLast ? 1 : 0));
      }
      const { outcome } = await source.poll();
      if (outcome.status === 'ok')
        steps.push(...outcome.snapshots.map(({ snapshot }) => snapshot.values.global_step));
      nowMs += 11_000;
    }
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('a folder of TensorBoard', () => {
  it('gives the scalars at their wall times', async () => {
    const root = temporaryFolder();
    const first = logIn(root, 'bert', 'events.out.tfevents.1.host');
    copyFileSync('test/fixtures/logs/events.out.tfevents.tensorboardx', first);
    const { receiver } = await startBridge({
      file: root,
      environment: { EXPORT_MIN_INTERVAL: '0', METRICS_START: 'beginning' },
    });
    const losses = () => new Map(receiver.points('ml.training.loss').map((it) => [it.timeMs, it.value]));
    const timeMs = (step: number) => 1_760_000_000_250 + step * 1_000;
    await receiver.waitFor(() => losses().has(timeMs(4)), 'the last loss');
    for (let step = 0; step < 5; step++) expect(losses().get(timeMs(step))).toBeCloseTo(2 / (step + 1), 6);
    expect(receiver.points('ml.training.loss')[0]?.attributes['job.id']).toBe('bert');
  });
});
