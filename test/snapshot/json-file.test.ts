import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../src/common/clock.ts';
import { interpret, parseMetricsFile } from '../../src/snapshot/interpret.ts';
import { createJsonFile, type JsonFileOptions, maxFileBytes } from '../../src/snapshot/json-file.ts';
import type { SnapshotSource } from '../../src/snapshot/source.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';

const pollerOf = (path: string, options: Partial<JsonFileOptions> = {}) =>
  createJsonFile({ path, clock: systemClock, parse: parseMetricsFile, ...options });

function setUp(clock: Clock = systemClock) {
  const folder = temporaryFolder();
  const file = join(folder, 'current.json');
  return { folder, file, poller: pollerOf(file, { clock }) };
}
const outcomeOf = async (poller: SnapshotSource) => (await poller.poll()).outcome;
const statusOf = async (poller: SnapshotSource) => (await outcomeOf(poller)).status;
/** Old enough that its stamp can be trusted. */
const settle = (file: string, secondsAgo = 10) =>
  utimesSync(file, Date.now() / 1000 - secondsAgo, Date.now() / 1000 - secondsAgo);

describe('a file that is there', () => {
  it('in another format, by the parser that is given', async () => {
    const { file } = setUp();
    const poller = pollerOf(file, {
      parse(bytes) {
        const [field, value] = Buffer.from(bytes).toString().split('=');
        return field === 'loss'
          ? interpret({ training_metrics: { training_loss: Number(value) } })
          : { status: 'malformed', reason: 'loss=… is expected' };
      },
    });
    replaceFile(file, 'loss=1.5');
    expect(await outcomeOf(poller)).toMatchObject({
      status: 'ok',
      snapshots: [{ snapshot: { values: { training_loss: 1.5 } } }],
    });
    replaceFile(file, '{}');
    expect(await outcomeOf(poller)).toEqual({ status: 'malformed', reason: 'loss=… is expected' });
  });

  it('is read once, however often it is polled', async () => {
    const { file, poller } = setUp();
    replaceFile(file, exampleText());
    expect(await statusOf(poller)).toBe('ok');
    expect(await statusOf(poller)).toBe('unchanged');
    settle(file);
    expect(await statusOf(poller)).toBe('unchanged');
    expect(await statusOf(poller)).toBe('unchanged');
  });

  it('is news when its bytes change, not when it is written again', async () => {
    const { file, poller } = setUp();
    replaceFile(file, exampleText());
    expect(await statusOf(poller)).toBe('ok');
    replaceFile(file, exampleText());
    expect(await statusOf(poller)).toBe('unchanged');
    replaceFile(file, exampleText({ metrics: { epoch: 4 } }));
    expect(await statusOf(poller)).toBe('ok');
  });

  it('is news when it is written twice within one tick of the file system, in the same size', async () => {
    const { file, poller } = setUp();
    const stamp = Date.now() / 1000;
    for (const loss of ['1.1', '2.2', '3.3']) {
      writeFileSync(file, exampleText({ metrics: { training_loss: loss } }));
      utimesSync(file, stamp, stamp);
      expect(await statusOf(poller)).toBe('ok');
    }
  });

  it('is the same snapshot after it was empty for a while', async () => {
    const { file, poller } = setUp();
    writeFileSync(file, exampleText());
    expect(await statusOf(poller)).toBe('ok');
    truncateSync(file);
    expect(await statusOf(poller)).toBe('empty');
    writeFileSync(file, exampleText());
    expect(await statusOf(poller)).toBe('unchanged');
  });

  it('is the same snapshot after a rewrite of it was caught half-way', async () => {
    const { file, poller } = setUp();
    const text = exampleText();
    writeFileSync(file, text);
    expect(await statusOf(poller)).toBe('ok');
    writeFileSync(file, text.slice(0, 100));
    expect(await statusOf(poller)).toBe('malformed');
    writeFileSync(file, text);
    expect(await statusOf(poller)).toBe('unchanged');
  });

  it('may be caught half-written: it is read again before that counts', async () => {
    const { file, poller } = setUp();
    const text = exampleText();
    writeFileSync(file, text.slice(0, 100));
    const poll = outcomeOf(poller);
    setTimeout(() => appendFileSync(file, text.slice(100)), 10);
    expect((await poll).status).toBe('ok');
  });

  it('is a new file each time it is replaced, also while it is read', async () => {
    const { file, poller } = setUp();
    let turn = 0;
    const writer = setInterval(
      () => replaceFile(file, exampleText({ metrics: { batch_number: ++turn } })),
      0,
    );
    const statuses = new Set<string>();
    const batches: number[] = [];
    while (batches.length < 200) {
      const outcome = await outcomeOf(poller);
      statuses.add(outcome.status);
      if (outcome.status === 'ok') batches.push(outcome.snapshots[0]?.snapshot.values.batch_number ?? -1);
    }
    clearInterval(writer);
    expect(batches).toEqual(batches.toSorted((a, b) => a - b));
    // Whether a poll falls between two writes is chance; what it must never see is half of one.
    for (const status of statuses) expect(['missing', 'ok', 'unchanged']).toContain(status);
  });
});

describe('a file that is not', () => {
  it.each([
    ['empty', '', 'empty', /empty/],
    ['half-written', exampleText().slice(0, 200), 'malformed', /JSON/],
    ['no JSON', 'epoch=3', 'malformed', /JSON/],
    ['no object', '[1, 2]', 'malformed', /a JSON object is expected, such as .*, not an array/],
    ['trailing garbage', `${exampleText()}}`, 'malformed', /JSON/],
  ])('%s', async (_name, content, status, reason) => {
    const { file, poller } = setUp();
    writeFileSync(file, content);
    for (let turn = 0; turn < 3; turn++) {
      expect(await outcomeOf(poller)).toEqual({ status, reason: expect.stringMatching(reason) });
    }
    replaceFile(file, exampleText());
    expect(await statusOf(poller)).toBe('ok');
  });

  it.each([
    ['a byte order mark', `\uFEFF${exampleText()}`],
    ['CRLF', exampleText().replaceAll(',', ',\r\n')],
    ['bare NaN', exampleText({ metrics: { training_loss: Number.NaN } })],
  ])('wrong for having %s', async (_name, content) => {
    const { file, poller } = setUp();
    writeFileSync(file, content);
    expect(await statusOf(poller)).toBe('ok');
  });

  it('there', async () => {
    const { folder, file, poller } = setUp();
    chmodSync(folder, 0o777);
    expect(await outcomeOf(poller)).toEqual({ status: 'missing', reason: `${file} does not exist` });
    symlinkSync(join(folder, 'nowhere'), file);
    expect(await outcomeOf(poller)).toEqual({
      status: 'missing',
      reason: `${file} is a symbolic link to nothing`,
    });
    writeFileSync(join(folder, 'nowhere'), exampleText());
    expect(await statusOf(poller)).toBe('ok');
    rmSync(file);
    expect(await statusOf(poller)).toBe('missing');
  });

  it('there, in a folder that only one user can write to', async () => {
    const { folder, file, poller } = setUp();
    chmodSync(folder, 0o755);
    const uid = process.getuid?.();
    expect(await outcomeOf(poller)).toEqual({
      status: 'missing',
      reason: `${file} does not exist, and only uid ${uid} can write to ${folder} (mode 0755)`,
      onlyWriterUid: uid,
    });
  });

  it('below a folder, because the folder is a file', async () => {
    const { folder } = setUp();
    writeFileSync(join(folder, 'file'), '');
    const path = join(folder, 'file', 'current.json');
    expect(await outcomeOf(pollerOf(path))).toMatchObject({ status: 'missing' });
  });

  it('small: a gigabyte is refused by its size, and costs no memory', async () => {
    const { file, poller } = setUp();
    writeFileSync(file, '');
    truncateSync(file, 1_073_741_824);
    const before = process.memoryUsage().rss;
    for (let turn = 0; turn < 20; turn++) {
      expect(await outcomeOf(poller)).toEqual({
        status: 'too_large',
        reason: `${file} has 1073741824 bytes, at most ${maxFileBytes} are read`,
      });
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  it('a file: a directory', async () => {
    const { file, poller } = setUp();
    mkdirSync(file);
    expect(await outcomeOf(poller)).toEqual({
      status: 'not_a_file',
      reason: `${file} is a directory, not a regular file`,
    });
  });

  it('a file: a FIFO that nobody writes to does not hang', async () => {
    const { file, poller } = setUp();
    execFileSync('mkfifo', [file]);
    expect(await outcomeOf(poller)).toEqual({
      status: 'not_a_file',
      reason: `${file} is a FIFO, not a regular file`,
    });
  });

  it('a file: a device', async () => {
    expect(await statusOf(pollerOf('/dev/zero'))).toBe('not_a_file');
  });
});

describe('the age of the file', () => {
  /** A clock whose hands are set by the test. */
  function setClock() {
    const hands = { unixMs: Date.now(), monotonicMs: 1_000 };
    return { hands, clock: () => ({ ...hands }), pass: (ms: number) => pass(hands, ms) };
  }
  function pass(hands: { unixMs: number; monotonicMs: number }, ms: number) {
    hands.unixMs += ms;
    hands.monotonicMs += ms;
  }

  it('is unknown before there is one, and goes on when it is gone', async () => {
    const { clock, pass } = setClock();
    const { file, poller } = setUp(clock);
    expect((await poller.poll()).fileAgeMs).toBeUndefined();
    replaceFile(file, exampleText());
    expect((await poller.poll()).fileAgeMs).toBeLessThan(2_000);
    rmSync(file);
    pass(60_000);
    expect((await poller.poll()).fileAgeMs).toBeGreaterThanOrEqual(60_000);
  });

  it('counts the time before the bridge was there', async () => {
    const { file, poller } = setUp();
    writeFileSync(file, exampleText());
    settle(file, 3600);
    const { fileAgeMs } = await poller.poll();
    expect(fileAgeMs).toBeGreaterThanOrEqual(3_600_000);
    expect(fileAgeMs).toBeLessThan(3_700_000);
  });

  it('begins again when the file is touched, though that is no news', async () => {
    const { clock, pass } = setClock();
    const { file, poller } = setUp(clock);
    replaceFile(file, exampleText());
    await poller.poll();
    pass(60_000);
    expect((await poller.poll()).fileAgeMs).toBeGreaterThanOrEqual(60_000);
    utimesSync(file, clock().unixMs / 1000, clock().unixMs / 1000);
    const poll = await poller.poll();
    expect(poll.outcome.status).toBe('unchanged');
    expect(poll.fileAgeMs).toBeLessThan(2_000);
  });

  it.each([-86_400_000, 86_400_000])('is free of a clock that jumps by %d ms', async (jumpMs) => {
    const { hands, clock, pass } = setClock();
    const { file, poller } = setUp(clock);
    replaceFile(file, exampleText());
    await poller.poll();
    pass(5_000);
    hands.unixMs += jumpMs;
    const { fileAgeMs } = await poller.poll();
    expect(fileAgeMs).toBeGreaterThanOrEqual(5_000);
    expect(fileAgeMs).toBeLessThan(8_000);
    // Written before the jump, seen after it.
    renameSync(file, `${file}.old`);
    replaceFile(file, exampleText({ metrics: { epoch: 4 } }));
    pass(1_000);
    hands.unixMs += jumpMs;
    const seen = await poller.poll();
    expect(seen.outcome.status).toBe('ok');
    expect(seen.fileAgeMs).toBeGreaterThanOrEqual(0);
    expect(seen.fileAgeMs).toBeLessThanOrEqual(1_000);
  });

  it('of a snapshot goes on while only bad files are written', async () => {
    const { clock, pass } = setClock();
    const { file, poller } = setUp(clock);
    replaceFile(file, exampleText());
    await poller.poll();
    pass(60_000);
    replaceFile(file, '{"training_metrics": {');
    utimesSync(file, clock().unixMs / 1000, clock().unixMs / 1000);
    const { outcome, fileAgeMs, snapshotAgeMs } = await poller.poll();
    expect(outcome.status).toBe('malformed');
    expect(fileAgeMs).toBeLessThan(2_000);
    expect(snapshotAgeMs).toBeGreaterThanOrEqual(60_000);
  });

  it('is never negative, also for a stamp of tomorrow', async () => {
    const { file, poller } = setUp();
    writeFileSync(file, exampleText());
    settle(file, -86_400);
    expect((await poller.poll()).fileAgeMs).toBeGreaterThanOrEqual(0);
  });
});

describe.runIf(process.getuid?.() === 0)('a file of another user', () => {
  // Root may read anything, so the poll is made by a process of another user.
  const pollAs = (uid: number, file: string): string => {
    const poll = new URL('../../src/snapshot/json-file.ts', import.meta.url);
    const script = `const { createJsonFile } = await import(${JSON.stringify(poll.href)});
      const clock = () => ({ unixMs: Date.now(), monotonicMs: performance.now() });
      const poller = createJsonFile({ path: ${JSON.stringify(file)}, clock, parse: () => ({ status: 'malformed' }) });
      process.seteuid(${uid});
      console.log(JSON.stringify((await poller.poll()).outcome));`;
    return execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  };

  it('names both users and the mode', () => {
    const { folder, file } = setUp();
    execFileSync('chmod', ['755', folder]);
    writeFileSync(file, exampleText(), { mode: 0o600 });
    const outcome = JSON.parse(pollAs(65532, file));
    expect(outcome.status).toBe('unreadable');
    expect(outcome.reason).toContain(`${file} belongs to uid 0, gid 0, mode 0600`);
  });

  it('in a closed folder names the folder', () => {
    const { folder, file } = setUp();
    execFileSync('chmod', ['700', folder]);
    writeFileSync(file, exampleText());
    const outcome = JSON.parse(pollAs(65532, file));
    expect(outcome.status).toBe('unreadable');
    expect(outcome.reason).toContain(`${folder} belongs to uid 0`);
  });
});
