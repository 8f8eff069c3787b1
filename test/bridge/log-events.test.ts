import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createEventLog } from '../../src/bridge/log-events.ts';
import { systemClock } from '../../src/common/clock.ts';
import { createConditions, createLogger } from '../../src/common/logger.ts';
import type { Poll, PollOutcome } from '../../src/snapshot/source.ts';
import { type LogLine, linesInto, startBridge } from '../support/bridge.ts';
import { exampleText, temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

describe('what lasts is logged when it begins and when it ends', () => {
  it.each([
    ['malformed', 'not JSON', 'error', 'Metrics file is malformed'],
    ['empty', '', 'warn', 'Metrics file is empty'],
  ] as const)('a file that is %s', async (status, content, level, message) => {
    const { file, log, outcome, polled, write, receiver, stop } = await startBridge();
    writeFileSync(file, content);
    await outcome(status);
    await polled(5);
    await write({});
    await polled(3);
    const lines = log.filter((line) => line.message === message);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ level, path: file, reason: expect.stringMatching(/./) });
    const ends = log.filter((line) => line.message === 'Metrics file is readable again');
    expect(ends).toHaveLength(1);
    expect(ends[0]).toMatchObject({ level: 'info', before: status, times: expect.any(Number) });
    const counted = () =>
      receiver.points('ml.bridge.snapshots').filter(({ attributes }) => attributes.outcome === status);
    await stop();
    expect(counted().at(-1)?.value).toBeGreaterThanOrEqual(5);
  });

  it('a file that is good and bad in turn, once each, and then not at each write', async () => {
    const { file, log, polls, write, stop } = await startBridge();
    const malformed = () => polls.filter(({ outcome }) => outcome.status === 'malformed').length;
    for (let turn = 1; turn <= 10; turn++) {
      const before = malformed();
      writeFileSync(file, `not JSON ${turn}`);
      await until(() => malformed() > before, 'the malformed file');
      await write({ metrics: { training_loss: turn } });
    }
    await stop();
    const lines = log.filter(({ message }) => /malformed|readable again/.test(message));
    expect(lines).toMatchObject([
      { message: 'Metrics file is malformed' },
      { message: 'Metrics file is readable again', before: 'malformed' },
    ]);
  });

  it.each([
    [
      'too_large',
      'Metrics file is too large',
      (file: string) => writeFileSync(file, Buffer.alloc(2_000_000)),
    ],
    ['not_a_file', 'Metrics file is not a regular file', (file: string) => mkdirSync(file)],
    ['failed', 'Metrics file cannot be read', (file: string) => symlinkSync(file, file)],
  ] as const)('a file that is %s', async (status, message, make) => {
    const { file, log, outcome, polled, write, receiver, stop } = await startBridge();
    make(file);
    await outcome(status);
    await polled(5);
    rmSync(file, { recursive: true });
    await write({});
    const lines = log.filter((line) => line.message === message);
    expect(lines).toEqual([
      expect.objectContaining({ level: 'error', path: file, reason: expect.stringContaining(file) }),
    ]);
    const counted = () =>
      receiver.points('ml.bridge.snapshots').filter(({ attributes }) => attributes.outcome === status);
    await stop();
    expect(counted().at(-1)?.value).toBeGreaterThanOrEqual(5);
  });

  it('a folder that only one user can write to, once while there is no file, as information', async () => {
    const { file, log, polled } = await startBridge();
    await polled(5);
    const ofFolder = () => log.filter(({ message }) => message.startsWith('Only one user can write'));
    // Temporary folders have mode 0700.
    expect(ofFolder()).toMatchObject([
      {
        level: 'info',
        path: file,
        reason: expect.stringContaining(`only uid ${process.getuid?.()} can write`),
      },
    ]);
    const folder = temporaryFolder();
    chmodSync(folder, 0o777);
    const shared = await startBridge({ file: join(folder, 'current.json') });
    await shared.polled(5);
    expect(shared.log.filter(({ message }) => message.startsWith('Only one user'))).toEqual([]);
  });

  it('a file that is not there yet, at debug, and one that is gone, as a warning', async () => {
    const { file, log, polled, write } = await startBridge();
    await polled(5);
    await write({});
    rmSync(file);
    await polled(5);
    expect(
      log.filter((line) => line.message === 'Metrics file does not exist yet').map(({ level }) => level),
    ).toEqual(['debug']);
    await until(() => log.some((line) => line.message === 'Metrics file is gone'), 'the warning');
    expect(log.filter((line) => line.message === 'Metrics file is gone').map(({ level }) => level)).toEqual([
      'warn',
    ]);
  });

  it.each([
    ['0', 'debug'],
    ['3', 'info'],
  ])('a file that is not there yet, of rank %s, at %s', async (rank, level) => {
    const { log, polled } = await startBridge({ environment: { RANK: rank } });
    await polled(3);
    const lines = log.filter(({ message }) => message === 'Metrics file does not exist yet');
    expect(lines.map((line) => line.level)).toEqual([level]);
  });

  it('a file that is missing for a minute, with what is in the folder instead, once and only for rank 0', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'metrics.json'), '{}');
    mkdirSync(join(folder, 'checkpoints'));
    let passedMs = 0;
    const clock = () => {
      const { unixMs, monotonicMs } = systemClock();
      return { unixMs: unixMs + passedMs, monotonicMs: monotonicMs + passedMs };
    };
    const file = join(folder, 'nothing', 'here', 'current.json');
    const first = await startBridge({ clock, file });
    const third = await startBridge({ clock, file, environment: { RANK: '3' } });
    const warnings = ({ log }: typeof first) =>
      log.filter(({ message }) => message.startsWith('Metrics file has been missing for a minute'));
    await first.polled(5);
    passedMs = 59_000;
    await first.polled(5);
    expect(warnings(first)).toEqual([]);
    passedMs = 61_000;
    await until(() => warnings(first).length > 0, 'the warning');
    await Promise.all([first.polled(5), third.polled(5)]);
    expect(warnings(first)).toEqual([
      expect.objectContaining({ level: 'warn', path: file, folder, reason: `${file} does not exist` }),
    ]);
    expect(warnings(first)[0]?.entries).toEqual(expect.arrayContaining(['metrics.json', 'checkpoints/']));
    expect(warnings(third)).toEqual([]);
  });

  it('the batches of a run whose epochs were not all seen to their end as a lower bound', async () => {
    const { log, write, stop } = await startBridge();
    await write({ metrics: { epoch: 1, batch_number: 40 } });
    await write({ metrics: { epoch: 2, batch_number: 3 } });
    await stop();
    const ended = log.filter(({ message }) => message === 'Training run ended');
    expect(ended).toMatchObject([{ batchesAtLeast: 43 }]);
    expect(ended[0]).not.toHaveProperty('batches');
  });

  it('the batches of a run whose first epochs were not seen as a lower bound', async () => {
    const { log, write, stop } = await startBridge();
    await write({ metrics: { epoch: 3, batch_number: 40 } });
    await stop();
    const ended = log.filter(({ message }) => message === 'Training run ended');
    expect(ended).toMatchObject([{ batchesAtLeast: 40 }]);
  });

  it.each([
    ['of the first epoch', { epoch: 1 }, 45],
    ['of a run with global_step', { global_step: 95 }, 95],
  ])('the batches %s as they are', async (_, metrics, batches) => {
    const { log, write, stop } = await startBridge();
    if ('global_step' in metrics) await write({ metrics: { epoch: 2, global_step: 90 } });
    await write({ metrics });
    await stop();
    expect(log.filter(({ message }) => message === 'Training run ended')).toMatchObject([{ batches }]);
  });

  it('fields that are left out, each for itself', async () => {
    const { log, write } = await startBridge();
    const skipped = () => log.filter((line) => line.message === 'Field of the metrics file is skipped');
    for (let turn = 0; turn < 5; turn++) await write({ metrics: { accuracy: 95 + turn } });
    expect(skipped()).toEqual([
      expect.objectContaining({ level: 'warn', field: 'accuracy', reason: 'out_of_range' }),
    ]);
    // One that is always left out does not hide the next.
    await write({ metrics: { accuracy: 99, training_loss: 'oops' } });
    expect(skipped().at(-1)).toMatchObject({ field: 'training_loss', reason: 'wrong_type' });
    await write({});
    const ends = log
      .filter((line) => line.message === 'Field is valid again')
      .map(({ field }) => String(field));
    expect(ends.toSorted()).toEqual(['accuracy', 'training_loss']);
  });

  it('a loss that is NaN in one run, and again in the next', async () => {
    const { log, write } = await startBridge();
    const nan = () => log.filter((line) => line.message === 'Value is NaN or infinite').length;
    await write({ job: { job_id: 'a' }, metrics: { training_loss: Number.NaN } });
    await write({ job: { job_id: 'b' } });
    await write({ job: { job_id: 'b' }, metrics: { training_loss: Number.NaN } });
    expect(nan()).toBe(2);
  });

  it('thousands of values that are not finite, in one line', async () => {
    const { log, write } = await startBridge({ environment: { MAX_EXTRA_METRICS: '0' } });
    for (const part of ['a', 'b']) {
      const names = Array.from({ length: 1000 }, (_, index) => [`${part}_${index}`, Number.NaN]);
      await write({ metrics: Object.fromEntries(names) });
    }
    expect(log.filter((line) => line.message === 'Value is NaN or infinite')).toHaveLength(1);
  });

  it('a flood of wrong fields, in one line of bounded length', async () => {
    const { log, write } = await startBridge();
    const flood = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, index) => [`-${index}${'x'.repeat(50)}`, 1]),
    );
    await write({ metrics: flood });
    const [line] = log.filter((it) => it.message === 'Unknown fields of the metrics file are skipped');
    expect(line?.count).toBe(10_000);
    expect(JSON.stringify(line).length).toBeLessThan(3_000);
  });

  it('a run, from its beginning to its end', async () => {
    const { log, write, stop } = await startBridge();
    await write(exampleText());
    await stop();
    expect(log).toContainEqual(
      expect.objectContaining({
        message: 'Training run began',
        jobId: 'training-job-001',
        startTime: '2025-10-23T10:15:00.000Z',
      }),
    );
    expect(log).toContainEqual(
      expect.objectContaining({ message: 'Training run ended', reason: 'stopped', batchesAtLeast: 45 }),
    );
  });
});

describe('what changes again and again', () => {
  function setUp() {
    const lines: LogLine[] = [];
    const log = createLogger('info', linesInto(lines));
    let monotonicMs = 0;
    const conditions = createConditions(log, () => monotonicMs);
    const events = createEventLog({ log, conditions, path: '/metrics', rank: undefined });
    return {
      events,
      poll: (second: number, outcome: PollOutcome, more: Partial<Poll> = {}) => {
        monotonicMs = second * 1000;
        const moment = { unixMs: 0, monotonicMs };
        events.polled({ outcome, moment, fileAgeMs: undefined, snapshotAgeMs: undefined, ...more });
      },
      messages: () => lines.map(({ message }) => message),
    };
  }

  it('is logged as it is now a minute after the last line', () => {
    const { events, poll, messages } = setUp();
    const loss = { field: 'training_loss', value: Number.NaN } as const;
    events.runEvent({ kind: 'became_non_finite', ...loss });
    events.runEvent({ kind: 'became_finite', field: loss.field });
    events.runEvent({ kind: 'became_non_finite', ...loss });
    poll(59, { status: 'unchanged' });
    expect(messages()).toEqual(['Value is NaN or infinite', 'Value is finite again']);
    poll(60, { status: 'unchanged' });
    expect(messages().slice(2)).toEqual(['Value is NaN or infinite']);
  });

  it('is logged once each, in which way a file is unusable', () => {
    const { poll, messages } = setUp();
    for (let second = 0; second < 60; second += 2) {
      poll(second, { status: 'malformed', reason: 'half of it' });
      poll(second + 1, { status: 'empty', reason: 'nothing' });
    }
    expect(messages()).toEqual(['Metrics file is malformed', 'Metrics file is empty']);
  });

  it('is logged once, that there are too many logs, and once that there are not', () => {
    const { poll, messages } = setUp();
    for (const logLimit of [10, 10, undefined, undefined]) poll(0, { status: 'unchanged' }, { logLimit });
    expect(messages()).toEqual([
      expect.stringContaining('There are more logs than the limit'),
      'All logs are looked at again',
    ]);
  });
});
