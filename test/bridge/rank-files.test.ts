import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startBridge, type TestBridge } from '../support/bridge.ts';
import { replaceFile, temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

const step = 'ml.training.rank.step';
const duration = 'ml.training.rank.step_duration';

function openRankFiles(environment: Readonly<Record<string, string>> = {}) {
  const folder = temporaryFolder();
  const fileOf = (rank: number | string) => join(folder, `rank-${rank}.json`);
  const bridge = startBridge({
    environment: { RANK_FILES: fileOf('*'), ...environment },
    config: { exportIntervalMs: 20 },
  });
  const writeRank = (rank: number, content: Readonly<Record<string, unknown>>) =>
    replaceFile(fileOf(rank), JSON.stringify({ rank, ...content }));
  return { bridge, fileOf, writeRank };
}

/** The values of the last request that has the metric, by rank. */
const byRank = ({ receiver }: TestBridge, metric: string) => {
  const request = receiver.requests.findLast(({ points }) => points.some((it) => it.metric === metric));
  const points = request?.points.filter((it) => it.metric === metric) ?? [];
  return Object.fromEntries(points.map(({ attributes, value }) => [String(attributes.rank), value]));
};

describe('RANK_FILES', () => {
  it('gives step and step time of the other ranks, with the labels of the run, and nothing else', async () => {
    const { bridge, writeRank } = openRankFiles();
    writeRank(1, { global_step: 90, rank_compute_ms: 150, processing_time_ms: 240, training_loss: 7 });
    writeRank(2, { global_step: 80, processing_time_ms: 240 });
    writeRank(3, { processing_time_ms: 'NaN' });
    const started = await bridge;
    await started.write({});
    await until(() => byRank(started, step)['2'] === 80, 'the ranks');
    expect(byRank(started, step)).toEqual({ 1: 90, 2: 80 });
    expect(byRank(started, duration)).toEqual({ 1: 0.15, 2: 0.24 });
    const point = started.receiver.points(step).at(-1);
    expect(point).toMatchObject({
      kind: 'gauge',
      attributes: { 'job.id': 'training-job-001', 'model.name': 'resnet-50', dataset: 'imagenet' },
    });
    expect(started.receiver.points('ml.training.loss').map(({ value }) => value)).not.toContain(7);
    writeRank(1, { global_step: 91 });
    await until(() => byRank(started, step)['1'] === 91, 'the next step');
  });

  it('and the rank of the main file look alike, and the main file wins for its own', async () => {
    const { bridge, writeRank } = openRankFiles({ RANK: '0' });
    writeRank(0, { global_step: 1, processing_time_ms: 1 });
    writeRank(1, { global_step: 90, processing_time_ms: 250 });
    const started = await bridge;
    await started.write({ metrics: { global_step: 95, rank_compute_ms: 200 } });
    await until(() => byRank(started, step)['1'] === 90, 'the ranks');
    expect(byRank(started, step)).toEqual({ 0: 95, 1: 90 });
    expect(byRank(started, duration)).toEqual({ 0: 0.2, 1: 0.25 });
  });

  it('does without a rank whose file is stale, and says which file is skipped, once', async () => {
    const { bridge, fileOf, writeRank } = openRankFiles();
    writeRank(1, { global_step: 90 });
    writeRank(2, { global_step: 80 });
    const longAgo = new Date(Date.now() - 301_000);
    utimesSync(fileOf(2), longAgo, longAgo);
    writeFileSync(fileOf(3), 'rank=3');
    mkdirSync(fileOf(4));
    const started = await bridge;
    await started.write({});
    await until(() => byRank(started, step)['1'] === 90, 'the rank');
    await started.polled(5);
    expect(byRank(started, step)).toEqual({ 1: 90 });
    const skipped = started.log.filter(({ message }) => message === 'Rank file is skipped');
    expect(skipped.map(({ path }) => path).toSorted()).toEqual([fileOf(3), fileOf(4)]);
  });

  it('keeps the last value of a file that is half-written', async () => {
    const { bridge, fileOf, writeRank } = openRankFiles();
    writeRank(1, { global_step: 90 });
    const started = await bridge;
    await started.write({});
    await until(() => byRank(started, step)['1'] === 90, 'the rank');
    writeFileSync(fileOf(1), '{"rank": 1, "glob');
    const before = started.receiver.requests.length;
    await started.polled(5);
    await until(() => started.receiver.requests.length > before + 2, 'further exports');
    expect(byRank(started, step)).toEqual({ 1: 90 });
  });

  it('reads 64 files and says that there are more', async () => {
    const { bridge, writeRank } = openRankFiles();
    for (let rank = 100; rank < 166; rank++) writeRank(rank, { global_step: rank });
    const started = await bridge;
    await started.write({});
    await until(() => byRank(started, step)['163'] === 163, 'the ranks');
    expect(Object.keys(byRank(started, step))).toHaveLength(64);
    expect(started.log).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        files: 66,
        limit: 64,
        message: expect.stringContaining('RANK_FILES'),
      }),
    );
  });

  const ago = (ms: number) => new Date(Date.now() - ms);
  const inZone = (time: Date, hours: number) =>
    new Date(time.getTime() + hours * 3_600_000).toISOString().replace('Z', `+0${hours}:00`);
  const start = ago(60_000);

  it.each([
    ['written before the run', 90_000, {}, start.toISOString(), false],
    ['written in the run', 30_000, {}, start.toISOString(), true],
    ['with the start_time of the run', 90_000, { start_time: inZone(start, 2) }, start.toISOString(), true],
    ['with another start_time', 0, { start_time: ago(90_000).toISOString() }, start.toISOString(), false],
    ['beside a run without start_time', 90_000, { start_time: start.toISOString() }, undefined, true],
    ['beside a start_time in local time', 0, {}, inZone(start, 2).replace(/[+].*/, ''), true],
  ])('of a file %s', async (_what, ageMs, content, startTime, shown) => {
    const { bridge, fileOf, writeRank } = openRankFiles();
    writeRank(1, { global_step: 90, ...content });
    utimesSync(fileOf(1), ago(ageMs), ago(ageMs));
    // Shows when the ranks of the run were exported.
    writeRank(2, { global_step: 80, ...(startTime !== undefined && { start_time: startTime }) });
    const started = await bridge;
    await started.write({ job: { start_time: startTime } });
    await until(() => byRank(started, step)['2'] === 80, 'the ranks');
    expect(byRank(started, step)).toEqual(shown ? { 1: 90, 2: 80 } : { 2: 80 });
  });

  it('says once that files are of another run, and reads them once they are written again', async () => {
    const { bridge, fileOf, writeRank } = openRankFiles();
    writeRank(1, { global_step: 90 });
    writeRank(2, { global_step: 90 });
    // Of two files of one rank, the one of the run counts, not the first by name.
    replaceFile(fileOf('1-of-4'), JSON.stringify({ rank: 1, global_step: 700 }));
    for (const name of [1, 2, '1-of-4']) utimesSync(fileOf(name), ago(90_000), ago(90_000));
    const started = await bridge;
    await started.write({ job: { start_time: start.toISOString() } });
    const lines = () => started.log.filter(({ message }) => /of another run/.test(message));
    await until(() => lines().length > 0, 'the message');
    await started.polled(5);
    expect(lines()).toEqual([expect.objectContaining({ level: 'info', path: fileOf('1-of-4'), files: 3 })]);
    expect(started.receiver.points(step)).toEqual([]);
    writeRank(1, { global_step: 1 });
    await until(() => byRank(started, step)['1'] === 1, 'the rank of this run');
    expect(lines()).toHaveLength(1);
    for (const name of [2, '1-of-4']) rmSync(fileOf(name));
    await until(() => lines().length === 2, 'that there are none any more');
  });

  it('gives nothing for a run that is over', async () => {
    const { bridge, writeRank } = openRankFiles();
    writeRank(1, { global_step: 90 });
    const started = await bridge;
    await started.write({});
    await until(() => byRank(started, step)['1'] === 90, 'the rank');
    await started.write({ top: { status: 'completed' } });
    await started.stop();
    expect(started.receiver.requests.at(-1)?.points.filter(({ metric }) => metric === step)).toEqual([]);
  });
});

it('a job without ranks has none', async () => {
  const { receiver, write, stop } = await startBridge();
  await write({});
  await stop();
  expect(receiver.points(step)).toEqual([]);
});
