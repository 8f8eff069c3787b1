import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findAllLogs, findLogs } from '../../../src/snapshot/log/find-logs.ts';
import { firstEvent, scalarEvent } from '../../support/event-file.ts';
import { temporaryFolder } from '../../support/file.ts';
import { followLog, runsOf, stepsOf } from './support.ts';

const startMs = Date.now() - 600_000;
const lightningColumns = 'epoch,step,train_loss\n';
const events = (step: number) => scalarEvent(step, startMs + step * 1_000, { train_loss: 1 / step });

/** What is written at each step, by the path below the folder, and the log that is read. */
const runs = [
  {
    name: 'Lightning with CSVLogger and TensorBoardLogger',
    read: 'lightning_logs/version_0/events.out.tfevents.1.host',
    files: {
      'lightning_logs/version_0/metrics.csv': [
        lightningColumns,
        (step: number) => `0,${step - 1},${1 / step}\n`,
      ],
      'lightning_logs/version_0/events.out.tfevents.1.host': [firstEvent(startMs), events],
    },
  },
  {
    name: 'ms-swift, which writes both by default',
    read: 'v0-20261127/logging.jsonl',
    files: {
      'v0-20261127/logging.jsonl': [
        '',
        (step: number) => `{"loss": ${1 / step}, "global_step/max_steps": "${step}/60"}\n`,
      ],
      'v0-20261127/runs/events.out.tfevents.1.host': [firstEvent(startMs), events],
    },
  },
  {
    name: 'detectron2, which writes both by default',
    read: 'output/metrics.json',
    files: {
      'output/metrics.json': [
        '',
        (step: number) => `{"data_time": 0.1, "iteration": ${step - 1}, "time": 0.1, "total_loss": 1}\n`,
      ],
      'output/events.out.tfevents.1.host': [firstEvent(startMs), events],
    },
  },
] as const;

type Write = readonly [head: string | Uint8Array, record: (step: number) => string | Uint8Array];

describe.each(runs)('a run with two logs: $name', ({ files, read }) => {
  const logs = Object.entries<Write>(files);

  it.each([0, 1])('is followed once, whichever is written last (%i)', async (first) => {
    const root = temporaryFolder();
    const log = followLog(root);
    for (const [name, [head, record]] of logs)
      log.write(join(root, name), Buffer.concat([Buffer.from(head), Buffer.from(record(1))]));
    await log.poll();
    for (let step = 2; step <= 7; step++) {
      for (const [index, [name, [, record]]] of logs.entries())
        log.write(join(root, name), record(step), (index + step) % 2 === first ? 1 : 0);
      await log.poll();
    }
    expect(runsOf(log)).toHaveLength(1);
    expect(stepsOf(log)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([0, 1])('is followed once if the bridge has seen one before the other (%i)', async (first) => {
    const root = temporaryFolder();
    const log = followLog(root);
    const [firstLog, secondLog] = first === 0 ? logs : logs.toReversed();
    for (const [name, [head, record]] of [firstLog, secondLog] as [string, Write][]) {
      log.write(join(root, name), Buffer.concat([Buffer.from(head), Buffer.from(record(1))]), 1);
      await log.poll();
    }
    for (const [name, [, record]] of logs) log.write(join(root, name), record(2));
    await log.poll();
    expect(runsOf(log)).toHaveLength(1);
    expect(stepsOf(log)).toEqual([1, 2]);
  });

  it('is one run for replay and check', async () => {
    const root = temporaryFolder();
    const { write } = followLog(root);
    for (const [name, [head, record]] of logs)
      write(join(root, name), Buffer.concat([Buffer.from(head), Buffer.from(record(1))]));
    const second = Object.keys(files).filter((name) => name !== read);
    expect(await findAllLogs(root)).toMatchObject([
      { paths: [join(root, read)], secondLogs: second.map((name) => join(root, name)) },
    ]);
    expect((await findLogs(root))?.paths).toEqual([join(root, read)]);
  });
});

it('an older run that left another log in the folder is a run of its own', async () => {
  const root = temporaryFolder();
  const { write } = followLog(root);
  const [old, csv] = [join(root, 'run', 'events.out.tfevents.1.host'), join(root, 'run', 'metrics.csv')];
  write(old, Buffer.concat([firstEvent(startMs), events(1)]), -3_600);
  write(csv, `${lightningColumns}0,0,1\n`);
  expect((await findLogs(root))?.paths).toEqual([csv]);
  expect(await findAllLogs(root)).toHaveLength(2);
});

it('a file that is no log does not take the place of one', async () => {
  const root = temporaryFolder();
  const { write } = followLog(root);
  const log = join(root, 'run', 'events.out.tfevents.1.host');
  write(log, Buffer.concat([firstEvent(startMs), events(1)]));
  write(join(root, 'run', 'metrics.json'), '{"accuracy": 0.9}', 1);
  expect((await findLogs(root))?.paths).toEqual([log]);
});

it('runs without event files that were copied together are runs of their own', async () => {
  const root = temporaryFolder();
  const { write } = followLog(root);
  write(join(root, 'own/train.jsonl'), '{"loss": 1, "step": 1}\n');
  write(join(root, 'keras.csv'), 'epoch,loss,val_loss\n0,1,2\n');
  write(join(root, 'own/below/metrics.csv'), 'epoch,step,train_loss\n0,0,1\n');

  expect((await findAllLogs(root)).map(({ paths }) => paths[0])).toEqual([
    join(root, 'keras.csv'),
    join(root, 'own/below/metrics.csv'),
    join(root, 'own/train.jsonl'),
  ]);
});
