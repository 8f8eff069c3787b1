import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { describe, expect, it, vi } from 'vitest';
import type { Receiver } from '../../../src/commands/demo/receiver/receiver.ts';
import { firstEvent, scalarEvent, sessionStart } from '../../support/event-file.ts';
import { commandLine } from '../../support/terminal.ts';
import { expectEachOnce, folderOf, jsonLines, receiver, startMs, valuesOf } from './support.ts';

// Thousands of records: more than 30 s on a machine that is busy with other work.
vi.setConfig({ testTimeout: 120_000 });

/** The lines below `Left out:`. */
const leftOutOf = (text: string) =>
  (/^Left out:\n((?: {2}.*\n)*)/m.exec(text)?.[1] ?? '').split('\n').flatMap((line) => line.trim() || []);

const steps = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const timeOf = (step: number) => startMs + 10_000 * step;

describe('replay', () => {
  it('sends every record with its own time, and the state of the run', async () => {
    const target = await receiver();
    const folder = folderOf({ 'resnet/train.jsonl': jsonLines(2_500) });
    const { code, text } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
    expect(code).toBe(0);
    const expected = (value: (step: number) => number) =>
      new Map(steps(2_500).map((step) => [timeOf(step), value(step)]));
    expect(target.points('ml.training.loss')).toHaveLength(2_500);
    expect(valuesOf(target, 'ml.training.loss')).toEqual(expected((step) => 1 / step));
    expect(valuesOf(target, 'ml.training.grad')).toEqual(expected((step) => step));
    expect(valuesOf(target, 'ml.training.batch_number')).toEqual(expected((step) => step));
    const states = target.points('ml.training.run.state').filter(({ value }) => value === 1);
    expect(states.at(0)).toMatchObject({ timeMs: timeOf(1), attributes: { state: 'running' } });
    expect(states.at(-1)).toMatchObject({ timeMs: timeOf(2_500) + 1, attributes: { state: 'ended' } });
    expect(target.points('ml.training.loss')[0]?.attributes).toMatchObject({ 'job.id': 'resnet' });
    expect(text).toContain('2,500 records of 1 run');
    expect(text).toContain('from 2026-11-20T10:00:10.000Z to 2026-11-20T16:56:40.000Z (7 hours)');
    expect(target.requests.every(({ bytes }) => bytes < 3_000_000)).toBe(true);
  });

  it('goes on with --from after it was stopped: nothing is missing, nothing has two values', async () => {
    const target = await receiver();
    const folder = folderOf({ 'a/train.jsonl': jsonLines(2_500), 'b/train.jsonl': jsonLines(1_500) });
    const controller = new AbortController();
    target.reply((_request, n) => {
      if (n === 3) controller.abort();
      return { status: 'ok' };
    });
    const args = ['replay', folder, '--endpoint', target.endpoint];
    const stopped = await commandLine(args, { signal: controller.signal });
    expect(stopped.code).toBe(1);
    const from = /--from (\d+)/.exec(stopped.errors)?.[1] ?? '';
    expect(stopped.errors).toContain('of 4,000 records arrived');
    expect(target.points('ml.training.loss').length).toBeLessThan(4_000);
    const { code } = await commandLine([...args, '--from', from]);
    expect(code).toBe(0);
    expectEachOnce(target, 4_000);
  });

  it('goes on with the end of a run if it was stopped between two', async () => {
    /** Stops after the first request. Gives where to go on. */
    const stopped = async (target: Receiver, folder: string) => {
      const controller = new AbortController();
      target.reply(() => {
        controller.abort();
        return { status: 'ok' };
      });
      const args = ['replay', folder, '--endpoint', target.endpoint];
      const { errors } = await commandLine(args, { signal: controller.signal });
      return Number(/--from (\d+)/.exec(errors)?.[1]);
    };
    const from = await stopped(await receiver(), folderOf({ 'a/train.jsonl': jsonLines(1_500) }));
    const target = await receiver();
    const folder = folderOf({ 'a/train.jsonl': jsonLines(from - 1), 'b/train.jsonl': jsonLines(5) });
    expect(await stopped(target, folder)).toBe(from);
    await commandLine(['replay', folder, '--endpoint', target.endpoint, '--from', String(from)]);
    const ended = target
      .points('ml.training.run.state')
      .filter(({ value, attributes }) => value === 1 && attributes.state === 'ended');
    expect(ended.map(({ attributes }) => attributes['job.id'])).toEqual(['a', 'b']);
    expectEachOnce(target, from - 1 + 5);
  });

  it('explains a point that is too old, once, and stops', async () => {
    const target = await receiver();
    const folder = folderOf({ 'a/train.jsonl': jsonLines(5_000) });
    const message = 'HTTP Status Code 400, Message=out of order sample';
    target.reply((_request, n) =>
      n === 1 ? { status: 'ok' } : { status: 'error', code: status.INVALID_ARGUMENT, message },
    );
    const { code, text, errors } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
    expect(code).toBe(1);
    expect(text).toBe('');
    expect(target.requests).toHaveLength(2);
    expect(errors.match(/out of order sample/g)).toHaveLength(1);
    expect(errors).toMatch(/set storage\.tsdb\.out_of_order_time_window of Prometheus to \d+[hd] or more/);
    const accepted = target.points('ml.training.loss').length;
    expect(errors).toContain(`--from ${accepted + 1}.`);
  });

  it('explains points that the Collector rejects of a request that it accepts', async () => {
    const target = await receiver();
    const folder = folderOf({ 'a/train.jsonl': jsonLines(3) });
    target.reply(() => ({
      status: 'ok',
      partialSuccess: { rejectedDataPoints: 7, errorMessage: 'sample is too old' },
    }));
    const { code, errors } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
    expect(code).toBe(1);
    expect(errors).toContain('7 points were rejected: sample is too old.');
    expect(errors).toContain('0 of 3 records arrived');
  });

  it('repeats a request until it is accepted', async () => {
    const target = await receiver();
    const folder = folderOf({ 'a/train.jsonl': jsonLines(3) });
    target.reply((_request, n) =>
      n < 3 ? { status: 'error', code: status.UNAVAILABLE, message: 'busy' } : { status: 'ok' },
    );
    const { code, errors } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
    expect(code).toBe(0);
    expect(errors.match(/busy/g)).toHaveLength(1);
    expect(valuesOf(target, 'ml.training.loss').size).toBe(3);
  });

  it('halves a request that is too large', async () => {
    const target = await receiver();
    const folder = folderOf({ 'a/train.jsonl': jsonLines(100) });
    target.reply(({ points }) =>
      points.length > 200
        ? {
            status: 'error',
            code: status.RESOURCE_EXHAUSTED,
            message: 'grpc: received message larger than max',
          }
        : { status: 'ok' },
    );
    const { code } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
    expect(code).toBe(0);
    expect(valuesOf(target, 'ml.training.loss').size).toBe(100);
  });

  it('sends nothing with --dry-run', async () => {
    const folder = folderOf({ 'a/train.jsonl': jsonLines(3) });
    const { code, text, errors } = await commandLine(['replay', folder, '--dry-run']);
    expect({ code, errors }).toEqual({ code: 0, errors: '' });
    expect(text).toContain('3 records of 1 run');
    expect(text).toContain('Nothing was sent.');
  });

  it('moves a record that has the time of the one before by 1 ms', async () => {
    const target = await receiver();
    const line = (loss: number) => `${JSON.stringify({ timestamp: startMs / 1000, loss })}\n`;
    const folder = folderOf({ 'a/train.jsonl': line(3) + line(2) + line(1) });
    const { text } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
    expect([...valuesOf(target, 'ml.training.loss')]).toEqual([
      [startMs, 3],
      [startMs + 1, 2],
      [startMs + 2, 1],
    ]);
    expect(text).toContain('2 records placed 1 ms after the one before');
  });

  it('leaves out what the writer of an event file has made void (purge_step)', async () => {
    const target = await receiver();
    const scalars = (steps: readonly number[], second: number) =>
      steps.map((step) => scalarEvent(step, startMs + (second + step) * 1_000, { loss: step }));
    const folder = folderOf({
      'bert/events.out.tfevents.1.host': Buffer.concat([firstEvent(startMs), ...scalars([1, 2, 3, 4], 0)]),
      'bert/events.out.tfevents.2.host': Buffer.concat([
        firstEvent(startMs + 100_000),
        sessionStart(3, startMs + 100_000),
        ...scalars([3, 4, 5], 100),
      ]),
    });
    const { code, text } = await commandLine(['replay', folder, '--endpoint', target.endpoint]);
    expect(code).toBe(0);
    expect([...valuesOf(target, 'ml.training.loss')]).toEqual(
      [1, 2, 103, 104, 105].map((second) => [startMs + second * 1_000, second % 100]),
    );
    expect(text).toContain('5 records of 1 run');
    expect(text).toContain(
      '2 × records: a later event file of the folder began again at their step or before',
    );
  });

  it('counts what it leaves out', async () => {
    const folder = folderOf({ 'a/train.jsonl': `${jsonLines(3)}{"loss": broken}\n${jsonLines(1)}` });
    const { text } = await commandLine(['replay', folder, '--dry-run']);
    expect(text).toMatch(/Skipped:\n {2}1 × records: /);
  });

  it.each([
    [['replay'], 'FILE'],
    [['replay', 'x', '--start', 'yesterday'], '2026-11-20T10:30:00Z'],
    [['replay', 'x', '--interval', '0'], 'a number of seconds'],
    [['replay', 'x', '--from', '0'], 'a whole number'],
    [['replay', 'x', '--endpoint', 'ftp://host'], 'ftp'],
  ])('%j is refused with %s', async (args, expected) => {
    const { code, errors } = await commandLine(args);
    expect(code).toBe(2);
    expect(errors).toContain(expected);
  });

  it('says that a path holds no log', async () => {
    const { code, errors } = await commandLine(['replay', folderOf({ 'notes.txt': 'x' }), '--dry-run']);
    expect(code).toBe(1);
    expect(errors).toContain('no log with a record is found');
  });
});

describe('a log whose records hold no time', () => {
  const csv = 'epoch,loss\n0,3\n1,2\n2,1\n';

  it('needs --interval', async () => {
    const folder = folderOf({ 'a/log.csv': csv });
    const { code, errors } = await commandLine(['replay', folder, '--dry-run']);
    expect(code).toBe(2);
    expect(errors).toContain('give --interval SECONDS');
  });

  it('begins at --start', async () => {
    const target = await receiver();
    const folder = folderOf({ 'a/log.csv': csv });
    const times = ['--start', '2026-11-20T10:00:00Z', '--interval', '2.5'];
    await commandLine(['replay', folder, '--endpoint', target.endpoint, ...times]);
    expect([...valuesOf(target, 'ml.training.loss')]).toEqual([
      [startMs, 3],
      [startMs + 2_500, 2],
      [startMs + 5_000, 1],
    ]);
  });

  it('ends at the time of the file without --start', async () => {
    const target = await receiver();
    const folder = folderOf({ 'a/log.csv': csv });
    utimesSync(join(folder, 'a/log.csv'), startMs / 1000, startMs / 1000);
    await commandLine(['replay', folder, '--endpoint', target.endpoint, '--interval', '60']);
    expect([...valuesOf(target, 'ml.training.loss').keys()]).toEqual([
      startMs - 120_000,
      startMs - 60_000,
      startMs,
    ]);
  });

  it('is placed by the elapsed time, which begins again when training is resumed', async () => {
    const target = await receiver();
    const line = (step: number, elapsed: string) =>
      `${JSON.stringify({ current_steps: step, total_steps: 9, loss: step, elapsed_time: elapsed, remaining_time: '0:00:01' })}\n`;
    const text = line(1, '0:00:05') + line(2, '0:01:00') + line(3, '0:00:10');
    const folder = folderOf({ 'a/trainer_log.jsonl': text });
    const times = ['--start', String(startMs / 1000)];
    await commandLine(['replay', folder, '--endpoint', target.endpoint, ...times]);
    expect([...valuesOf(target, 'ml.training.loss')]).toEqual([
      [startMs + 5_000, 1],
      [startMs + 60_000, 2],
      [startMs + 70_000, 3],
    ]);
  });
});

describe('a folder of several logs', () => {
  const jobsOf = async (files: Readonly<Record<string, string>>, ...args: readonly string[]) => {
    const target = await receiver();
    await commandLine(['replay', folderOf(files), '--endpoint', target.endpoint, ...args]);
    return [...new Set(target.points('ml.training.loss').map(({ attributes }) => attributes['job.id']))];
  };
  const log = jsonLines(2);

  it('makes each a job of its own, named by its folder', async () => {
    const files = { 'one/train.jsonl': log, 'two/version_0/a.jsonl': log, 'two/version_0/b.jsonl': log };
    expect(await jobsOf(files)).toEqual(['one', 'two/version_0/a.jsonl', 'two/version_0/b.jsonl']);
    expect(await jobsOf(files, '--job-id', 'x')).toEqual([
      'x/one',
      'x/two/version_0/a.jsonl',
      'x/two/version_0/b.jsonl',
    ]);
  });

  it('names each file that is left out, and why', async () => {
    const events = Buffer.concat([firstEvent(startMs), scalarEvent(1, startMs, { loss: 1 })]);
    const folder = folderOf({
      'a/metrics.csv': 'epoch,step,train_loss\n0,0,1\n',
      'a/events.out.tfevents.1.host': events,
      'a/logging.jsonl': '{"loss": 1, "global_step/max_steps": "1/60", "elapsed_time": "1s"}\n',
      'b/train.jsonl': log,
      'c/log.csv': 'epoch,loss\n',
    });
    const { code, text } = await commandLine(['replay', folder, '--dry-run']);
    expect(code).toBe(0);
    expect(text).toContain('3 records of 2 runs');
    expect(leftOutOf(text)).toEqual([
      `${folder}/a/events.out.tfevents.1.host: another log of the run that is read from ${folder}/a/logging.jsonl`,
      `${folder}/a/metrics.csv: another log of the run that is read from ${folder}/a/logging.jsonl`,
      `${folder}/c/log.csv: no record`,
    ]);
  });

  it('says nothing of files that are left out if there are none', async () => {
    const { text } = await commandLine(['replay', folderOf({ 'one/train.jsonl': log }), '--dry-run']);
    expect(text).not.toContain('Left out');
  });

  it('names a single one by --job-id alone', async () => {
    expect(await jobsOf({ 'one/train.jsonl': log }, '--job-id', 'x')).toEqual(['x']);
  });
});
