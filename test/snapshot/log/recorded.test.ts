// The logs that were recorded from the libraries, as a bridge follows them: appended record by record.
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';
import { until } from '../../support/until.ts';
import { logFixture } from './formats/support.ts';
import { type FollowedLog, followLog, resumesOf, runsOf, stepsOf } from './support.ts';

/** Follows logs that are written one after another, each in pieces, below one folder. */
async function follow(logs: readonly (readonly [source: string, target: string])[]) {
  const root = temporaryFolder();
  const log = followLog(root);
  const path = (target: string) => join(root, 'job', target);
  for (const [source, target] of logs) {
    const content = logFixture(`recorded/${source}`);
    for (let start = 0; start < content.length; start += 500) {
      log.write(path(target), content.subarray(start, start + 500));
      await log.poll();
    }
    await filesAreLaterThan(path(target));
  }
  return log;
}

/** The start of a run may be when its file was created. The clock of the file system moves on only every few milliseconds. */
async function filesAreLaterThan(path: string): Promise<void> {
  const probe = join(temporaryFolder(), 'probe');
  const isLater = () => {
    writeFileSync(probe, '');
    return Math.floor(statSync(probe).mtimeMs) > statSync(path).birthtimeMs;
  };
  await until(isLater, `files that are later than ${path}`);
}

const distinct = (steps: readonly (number | undefined)[]) =>
  steps.filter((step, index) => step !== steps[index - 1]);
const measuredSteps = (log: FollowedLog) => stepsOf(log).filter((step) => step !== undefined);
const fives = (from: number, to: number) =>
  Array.from({ length: (to - from) / 5 + 1 }, (_, index) => from + index * 5);

it('LLaMA-Factory appends: a second run, and its resume, in which evaluations go back as well', async () => {
  const log = await follow([['llama-factory/appended/trainer_log.jsonl', 'trainer_log.jsonl']]);
  expect(distinct(stepsOf(log))).toEqual([...fives(5, 40), ...fives(5, 30), ...fives(25, 40)]);
  expect(runsOf(log)).toHaveLength(2);
  expect(resumesOf(log)).toEqual([{ at: 25, from: 30 }]);
});

it('ms-swift appends: a second run, and its resume', async () => {
  const log = await follow([['swift/appended/logging.jsonl', 'logging.jsonl']]);
  const expected = [1, ...fives(5, 40), 1, ...fives(5, 30), ...fives(25, 40)];
  expect(distinct(stepsOf(log))).toEqual(expected);
  expect(runsOf(log)).toHaveLength(2);
  expect(resumesOf(log)).toEqual([{ at: 25, from: 30 }]);
});

it('ms-swift writes two logs, of which the one with the total steps is read', async () => {
  const log = await follow([
    ['swift/first/logging.jsonl', 'logging.jsonl'],
    ['swift/first/runs/events.out.tfevents.1', 'runs/events.out.tfevents.1'],
  ]);
  expect(distinct(stepsOf(log))).toEqual([1, ...fives(5, 40)]);
  expect(runsOf(log)).toHaveLength(1);
});

it('detectron2 appends a second run and its resume, and writes event files beside them', async () => {
  const both = await follow([
    ['detectron2/first/metrics.json', 'output/metrics.json'],
    ['detectron2/first/events.out.tfevents.1', 'output/events.out.tfevents.1'],
  ]);
  expect(measuredSteps(both)).toEqual(fives(5, 40));
  expect(runsOf(both)).toHaveLength(1);
  const log = await follow([['detectron2/appended/metrics.json', 'output/metrics.json']]);
  expect(measuredSteps(log)).toEqual([...fives(5, 40), ...fives(5, 30), ...fives(15, 40)]);
  expect(runsOf(log)).toHaveLength(2);
  expect(resumesOf(log)).toEqual([{ at: 15, from: 30 }]);
});

it.each([
  [
    'Lightning: a resume has a folder of its own, as has a killed run',
    [0, 1, 2].map((version) => {
      const name = `lightning_logs/version_${version}/metrics.csv`;
      return [`lightning/${name}`, name] as const;
    }),
    [10, 20, 30, 40, 50, 60, 70, 80, 10, 20, 30],
    3,
  ],
  [
    'Hugging Face: a resume has a folder of its own, as has a killed run',
    [
      ['huggingface/first/events.out.tfevents.1', 'runs/a/events.out.tfevents.1'],
      ['huggingface/resumed/events.out.tfevents.2', 'runs/b/events.out.tfevents.2'],
      ['huggingface/killed/events.out.tfevents.3', 'runs/c/events.out.tfevents.3'],
    ],
    [...fives(5, 40), ...fives(25, 40), 5, 10],
    3,
  ],
  [
    'mmengine: a resume has a folder of its own, as has a killed run',
    ['first', 'killed', 'resumed'].map(
      (run) => [`mmengine/${run}/vis_data/scalars.json`, `${run}/vis_data/scalars.json`] as const,
    ),
    [5, 10, 15, 20, 1, 25, 30, 35, 40, 2, 5, 10, 25, 30, 35, 40, 2],
    3,
  ],
  [
    'Ultralytics: a second run has a folder of its own',
    ['train', 'train-2', 'killed'].map(
      (run) => [`ultralytics/${run}/results.csv`, `${run}/results.csv`] as const,
    ),
    [1, 2, 1, 2, 1, 2],
    3,
  ],
] as const)('%s', async (_what, logs, steps, runs) => {
  const log = await follow(logs);
  expect(distinct(stepsOf(log))).toEqual(steps);
  expect(runsOf(log)).toHaveLength(runs);
  expect(resumesOf(log)).toEqual([]);
});

it('Ultralytics appends the rest to the log of a killed run', async () => {
  const killed = logFixture('recorded/ultralytics/killed/results.csv');
  const resumed = logFixture('recorded/ultralytics/resumed/results.csv');
  expect(resumed.subarray(0, killed.length).equals(killed)).toBe(true);
  const log = await follow([['ultralytics/resumed/results.csv', 'train/results.csv']]);
  expect(stepsOf(log)).toEqual([1, 2, 3, 4]);
  expect(runsOf(log)).toHaveLength(1);
});
