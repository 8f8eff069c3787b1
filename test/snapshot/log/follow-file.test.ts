import {
  appendFileSync,
  closeSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { formatOfPreset, type PresetName } from '../../../src/catalogue/file-formats.ts';
import { mulberry32 } from '../../../src/commands/simulate/random.ts';
import type { Clock } from '../../../src/common/clock.ts';
import { createFileFollower, type FileFollower } from '../../../src/snapshot/log/follow-file.ts';
import { collectAllGarbage } from '../../support/expose-gc.ts';
import { temporaryFolder } from '../../support/file.ts';
import { decodeParts, frameworkLogs, logFixture, splits } from './formats/support.ts';

function setUp(name = 'log.jsonl') {
  const path = join(temporaryFolder(), name);
  let nowMs = 0;
  const clock: Clock = () => ({ unixMs: nowMs, monotonicMs: nowMs });
  const format = name.endsWith('.csv') ? 'csv' : 'jsonl';
  const follower = createFileFollower({ path, format, clock });
  onTestFinished(() => follower.close());
  return {
    path,
    follower,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

const lineOf = (step: number) => `${JSON.stringify({ step, loss: 1 / (step + 1) })}\n`;
const linesOf = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => lineOf(from + index)).join('');

/** The steps of all records that can be read now. */
async function steps(follower: FileFollower, limit = 256): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (let more = true; more; ) {
    const result = await follower.read(limit);
    if (result.status !== 'ok') return [...found, result.status];
    found.push(...result.records.map(({ fields }) => fields.step));
    more = result.more && result.records.length > 0;
  }
  return found;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('a log that is appended to', () => {
  it('gives each record once, at most as many at a time as are asked for', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, linesOf(0, 5));
    expect(await follower.read(3)).toMatchObject({ status: 'ok', more: true, records: [{}, {}, {}] });
    expect(await steps(follower)).toEqual([3, 4]);
    expect(await steps(follower)).toEqual([]);
    appendFileSync(path, linesOf(5, 7));
    expect(await steps(follower)).toEqual([5, 6]);
  });

  it('waits for the rest of the last record', async () => {
    const { path, follower } = setUp();
    const text = lineOf(0);
    writeFileSync(path, text.slice(0, 7));
    expect(await follower.read(256)).toMatchObject({ status: 'ok', records: [], problems: [], more: false });
    appendFileSync(path, text.slice(7));
    expect(await steps(follower)).toEqual([0]);
  });

  it('gives the same records, however the bytes are split into appends', async () => {
    const line = fc.record({ step: fc.nat(), loss: fc.double(), text: fc.string() });
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), fc.array(fc.nat(400)), async (records, cuts) => {
        const { path, follower } = setUp();
        const bytes = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
        const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b), bytes.length];
        const found: unknown[] = [];
        writeFileSync(path, '');
        let start = 0;
        for (const end of ends) {
          appendFileSync(path, bytes.subarray(start, end));
          start = end;
          found.push(...(await steps(follower)));
        }
        await follower.close();
        expect(found).toEqual(records.map(({ step }) => step));
      }),
      { numRuns: 50 },
    );
  });

  it.each(frameworkLogs)(
    'gives the same records of %s, however it is split into appends',
    async (name, preset) => {
      const bytes = logFixture(name);
      const format = formatOfPreset(preset as PresetName);
      const { records } = await decodeParts(format, [bytes]);
      await fc.assert(
        fc.asyncProperty(splits(fc.constant(bytes)), async (parts) => {
          const path = join(temporaryFolder(), basename(name));
          const follower = createFileFollower({ path, format, clock: () => ({ unixMs: 0, monotonicMs: 0 }) });
          const found: unknown[] = [];
          const poll = async () => {
            const result = await follower.read(256);
            if (result.status === 'ok') found.push(...result.records);
          };
          for (const part of parts) {
            appendFileSync(path, part);
            // A poll without growth ends the last record of an event file.
            if (part.length > 0) await poll();
          }
          await poll();
          await poll();
          await follower.close();
          expect(found).toEqual(records);
        }),
        { numRuns: 20 },
      );
    },
  );

  it('goes on from a position that was kept, with the columns of a CSV file', async () => {
    const { path, follower } = setUp('log.csv');
    writeFileSync(path, 'step,loss\n0,1.5\n1,1.4\n');
    await follower.read(2);
    const from = follower.lastPosition;
    appendFileSync(path, '2,1.3\n');
    const next = createFileFollower({
      path,
      format: 'csv',
      clock: () => ({ unixMs: 0, monotonicMs: 0 }),
      from,
    });
    expect(await steps(next)).toEqual([1, 2]);
    await next.close();
  });
});

describe('a file that changes under the reader', () => {
  it('is rewritten in place with another column: only new records are given', async () => {
    const { path, follower } = setUp('log.csv');
    const rows = (count: number, tail: string) =>
      range(0, count)
        .map((step) => `${step},${1 / (step + 1)}${tail}\n`)
        .join('');
    writeFileSync(path, `step,loss\n${rows(3000, '')}`);
    expect(await steps(follower)).toHaveLength(3000);
    writeFileSync(path, '');
    expect(await steps(follower)).toEqual([]);
    writeFileSync(path, `step,loss,acc\n${rows(1500, ',')}`);
    expect(await steps(follower)).toEqual([]);
    writeFileSync(path, `step,loss,acc\n${rows(3000, ',')}3000,0.1,0.5\n`);
    expect(await steps(follower)).toEqual([3000]);
  });

  it('is truncated on the same inode by another run: all of its records are given', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, linesOf(0, 4));
    await steps(follower);
    truncateSync(path, 0);
    expect(await steps(follower)).toEqual([]);
    writeFileSync(path, `{"step":0,"loss":7}\n${linesOf(1, 3)}`);
    expect(await follower.read(256)).toMatchObject({ isOther: 'replaced', records: [{}, {}, {}] });
  });

  it('is truncated and has grown beyond its old size between two polls', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, linesOf(0, 4));
    await steps(follower);
    writeFileSync(path, `{"step":0,"loss":7}\n${linesOf(1, 9)}`);
    expect(await steps(follower)).toEqual(range(0, 9));
  });

  it('is unlinked and made again: what was left is read first', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, linesOf(0, 2));
    await steps(follower);
    appendFileSync(path, linesOf(2, 3));
    rmSync(path);
    expect([...(await steps(follower)), ...(await steps(follower))]).toEqual([2, 'missing']);
    writeFileSync(path, '{"step":0,"loss":7}\n');
    expect(await follower.read(256)).toMatchObject({
      isOther: 'replaced',
      records: [{ fields: { loss: 7 } }],
    });
  });

  it('is rotated: the rest of the old file comes before the new one', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, linesOf(0, 2));
    await steps(follower);
    appendFileSync(path, linesOf(2, 4));
    renameSync(path, `${path}.1`);
    writeFileSync(path, linesOf(4, 6));
    expect([...(await steps(follower)), ...(await steps(follower))]).toEqual([2, 3, 4, 5]);
  });

  it('is replaced by a file of the same content: nothing is given twice', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, linesOf(0, 3));
    await steps(follower);
    writeFileSync(`${path}.new`, linesOf(0, 3));
    renameSync(`${path}.new`, path);
    expect(await steps(follower)).toEqual([]);
    appendFileSync(path, linesOf(3, 4));
    expect([...(await steps(follower)), ...(await steps(follower))]).toEqual([3]);
  });

  it('is replaced by a file of the same size', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, '{"step":0,"loss":1}\n');
    await steps(follower);
    rmSync(path);
    writeFileSync(path, '{"step":0,"loss":2}\n');
    expect(await steps(follower)).toEqual([0]);
  });

  it('holds fewer of the same records for ten seconds: another run that began the same', async () => {
    const { path, follower, pass } = setUp();
    writeFileSync(path, linesOf(0, 3));
    await steps(follower);
    writeFileSync(path, linesOf(0, 2));
    expect(await steps(follower)).toEqual([]);
    pass(5_000);
    expect(await steps(follower)).toEqual([]);
    pass(6_000);
    expect(await steps(follower)).toEqual([0, 1]);
  });

  it('is rewritten in place while it is read, many times: nothing is missing and nothing comes twice', async () => {
    const { path, follower } = setUp('log.csv');
    const columns = (count: number) => range(0, count).map((index) => `extra${index}`);
    const text = (rows: number, extra: number) =>
      `step,${columns(extra).join(',')}\n${range(0, rows)
        .map((step) => `${step}${','.repeat(extra)}\n`)
        .join('')}`;
    const found: unknown[] = [];
    for (const turn of range(1, 60)) {
      const file = openSync(path, 'w');
      const bytes = Buffer.from(text(turn * 50, turn));
      const reading = steps(follower);
      for (let offset = 0; offset < bytes.length; offset += 20_000) {
        writeSync(file, bytes.subarray(offset, offset + 20_000));
        if (offset % 3 === 0) await new Promise(setImmediate);
      }
      closeSync(file);
      found.push(...(await reading));
    }
    found.push(...(await steps(follower)), ...(await steps(follower)));
    expect(found).toEqual(range(0, 59 * 50));
  });
});

describe('a file that is no log', () => {
  it('has a line of 1 GB: it is passed over in bounded memory, and what follows is read', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, lineOf(0));
    truncateSync(path, 1_000_000_000);
    appendFileSync(path, `\n${lineOf(1)}`);
    const before = process.memoryUsage().arrayBuffers;
    const found: unknown[] = [];
    const problems: unknown[] = [];
    for (let more = true; more; ) {
      const result = await follower.read(256);
      if (result.status !== 'ok') throw new Error(result.reason);
      found.push(...result.records.map(({ fields }) => fields.step));
      problems.push(...result.problems.map(({ kind }) => kind));
      // What is kept counts, not what has not been collected yet.
      collectAllGarbage();
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 2 ** 20);
      more = result.more;
    }
    expect({ found, problems }).toEqual({ found: [0, 1], problems: ['too_long'] });
  });

  it('is binary: every poll is bounded, and it is reported', async () => {
    const { path, follower } = setUp();
    const random = mulberry32(1);
    writeFileSync(path, Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(random() * 256))));
    const kinds = new Set<string>();
    for (let more = true; more; ) {
      const result = await follower.read(256);
      if (result.status !== 'ok') throw new Error(result.reason);
      expect(result.records).toEqual([]);
      for (const { kind } of result.problems) kinds.add(kind);
      more = result.more;
    }
    expect(kinds).toEqual(new Set(['malformed']));
  });

  it('is reported in bounded time', async () => {
    const { path, follower } = setUp();
    writeFileSync(path, '');
    truncateSync(path, 10_000_000_000);
    expect(await follower.read(256)).toMatchObject({ status: 'ok', records: [], more: true });
  });

  it('is a folder', async () => {
    const folder = temporaryFolder();
    const clock: Clock = () => ({ unixMs: 0, monotonicMs: 0 });
    const result = await createFileFollower({ path: folder, format: 'jsonl', clock }).read(1);
    expect(result).toMatchObject({ status: 'not_a_file' });
  });
});
