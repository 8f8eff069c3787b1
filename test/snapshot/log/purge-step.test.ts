import { join } from 'node:path';
import { expect, it } from 'vitest';
import { firstEvent, scalarEvent, sessionStart } from '../../support/event-file.ts';
import { temporaryFolder } from '../../support/file.ts';
import { type FollowedLog, followLog, resumesOf, runsOf, stepsOf } from './support.ts';

const startMs = 1_760_000_000_000;
const range = (from: number, to: number, by = 1) =>
  Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by);
const scalars = (steps: readonly number[], second = 0) =>
  steps.map((step) => scalarEvent(step, startMs + (second + step) * 1_000, { loss: step }));
const file = (root: string, number: number, folder = '') =>
  join(root, 'bert', folder, `events.out.tfevents.${number}.host`);
const firstFile = (steps: readonly number[]) => Buffer.concat([firstEvent(startMs), ...scalars(steps)]);
/** What torch and tensorboardX write with `purge_step`. */
const restarted = (at: number, steps: readonly number[]) =>
  Buffer.concat([
    firstEvent(startMs + 1_000_000),
    sessionStart(at, startMs + 1_000_000),
    ...scalars(steps, 1_000),
  ]);

/** A run that is followed up to step 50, 5 in each record. */
async function followed(root: string): Promise<FollowedLog> {
  const log = followLog(root);
  log.write(file(root, 1), firstFile(range(5, 50, 5)));
  await log.poll();
  expect(stepsOf(log)).toEqual(range(5, 50, 5));
  return log;
}

it.each([
  ['at that step', 40],
  ['at a later one, beyond the last of the first writer', 55],
])('a writer that begins again, and writes first %s, is a resume', async (_where, first) => {
  const root = temporaryFolder();
  const log = await followed(root);
  log.write(file(root, 2), restarted(40, range(first, 60, 5)));
  await log.poll();
  expect(stepsOf(log)).toEqual([...range(5, 50, 5), ...range(first, 60, 5)]);
  expect(resumesOf(log)).toEqual([{ at: 40, from: 50 }]);
  expect(runsOf(log)).toHaveLength(1);
});

it('a writer that begins again at the first step begins a new run', async () => {
  const root = temporaryFolder();
  const log = await followed(root);
  log.write(file(root, 2), restarted(0, range(10, 30, 10)));
  await log.poll();
  expect(stepsOf(log)).toEqual([...range(5, 50, 5), 10, 20, 30]);
  expect(resumesOf(log)).toEqual([]);
  expect(runsOf(log)).toHaveLength(2);
});

it('steps that are void before they are read are passed over', async () => {
  const root = temporaryFolder();
  const log = followLog(root);
  log.write(file(root, 1), firstFile(range(5, 50, 5)));
  log.write(file(root, 2), restarted(40, range(40, 60, 5)));
  log.write(file(root, 3), restarted(55, range(55, 70, 5)));
  await log.poll();
  expect(stepsOf(log)).toEqual(range(5, 70, 5));
  for (const { snapshot, timeMs = 0 } of log.snapshots) {
    const step = snapshot.values.training_loss ?? 0;
    expect(timeMs).toBe(startMs + (step < 40 ? step : 1_000 + step) * 1_000);
  }
  expect(resumesOf(log)).toEqual([]);
  expect(runsOf(log)).toHaveLength(1);
});

it('a writer that holds back its first bytes says late that it began again', async () => {
  const root = temporaryFolder();
  const log = await followed(root);
  log.write(file(root, 2), '');
  await log.poll();
  log.write(file(root, 2), restarted(40, [40, 45]));
  await log.poll();
  expect(stepsOf(log).slice(-2)).toEqual([40, 45]);
  expect(resumesOf(log)).toEqual([{ at: 40, from: 50 }]);
});

it('the session of another folder of the run makes nothing void', async () => {
  const root = temporaryFolder();
  const log = followLog(root);
  log.write(file(root, 1, 'train'), firstFile(range(5, 20, 5)));
  await log.poll();
  log.write(file(root, 2, 'validation'), restarted(0, [10, 20]));
  await log.poll();
  expect(stepsOf(log)).toEqual([5, 10, 15, 20, 10, 20]);
  expect(runsOf(log)).toHaveLength(1);
  expect(resumesOf(log)).toEqual([]);
});

it.each([
  [40, 1, [{ at: 40, from: 50 }]],
  [0, 2, []],
])('writers of two folders that begin again at step %i do so once for the run', async (at, runs, resumes) => {
  const root = temporaryFolder();
  const log = followLog(root);
  for (const folder of ['train', 'validation'])
    log.write(file(root, 1, folder), firstFile(range(10, 50, 10)));
  await log.poll();
  const first = Math.max(at, 10);
  for (const folder of ['train', 'validation']) {
    log.write(file(root, 2, folder), restarted(at, range(first, 60, 10)));
    await log.poll();
  }
  expect(runsOf(log)).toHaveLength(runs);
  expect(resumesOf(log)).toEqual(resumes);
});
