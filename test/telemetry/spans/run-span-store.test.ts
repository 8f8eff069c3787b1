import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createConditions, createLogger } from '../../../src/common/logger.ts';
import { type RunKey, spanIdOf } from '../../../src/telemetry/spans/ids.ts';
import { openRunSpanStore } from '../../../src/telemetry/spans/run-span-store.ts';
import { type LogLine, linesInto } from '../../support/bridge.ts';
import { temporaryFolder } from '../../support/file.ts';

const key: RunKey = { jobId: 'a', startTimeMs: 1, rank: 0, fallbackId: 'b', part: undefined };

function logged() {
  const lines: LogLine[] = [];
  return { lines, conditions: createConditions(createLogger('info', linesInto(lines))) };
}

test('the next bridge finds the span of the last run, and makes the folder if it is not there', async () => {
  const { conditions, lines } = logged();
  const file = join(temporaryFolder(), 'bridge-a', 'run-span.json');
  const store = await openRunSpanStore(file, conditions);
  expect(store.previous).toBeUndefined();
  store.began(key);
  store.began({ ...key, part: '17' });
  await store.written();
  const next = await openRunSpanStore(file, conditions);
  expect(next.previous).toEqual({ run: spanIdOf(key), part: '17', isSent: false });
  expect(lines).toEqual([]);
});

test.each(['', '{', 'null', '{"version":2,"run":"a","isSent":true}', '{"version":1,"run":7,"isSent":true}'])(
  'a file that holds %s is as none',
  async (content) => {
    const file = join(temporaryFolder(), 'run-span.json');
    writeFileSync(file, content);
    expect((await openRunSpanStore(file, logged().conditions)).previous).toBeUndefined();
  },
);

test('a folder that cannot be written to is one warning', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'bridge-a'), 'no folder');
  const { conditions, lines } = logged();
  const store = await openRunSpanStore(join(folder, 'bridge-a', 'run-span.json'), conditions);
  store.began(key);
  store.began(key);
  await store.written();
  expect(lines.map(({ level }) => level)).toEqual(['warn']);
});

test('a symbolic link in place of the new file is not followed', async () => {
  const folder = temporaryFolder();
  const [file, target] = [join(folder, 'run-span.json'), join(folder, 'of-another')];
  symlinkSync(target, `${file}.new`);
  const store = await openRunSpanStore(file, logged().conditions);
  store.began(key);
  await store.written();
  expect(existsSync(target)).toBe(false);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ isSent: false });
});

test('a file that hangs is given up after a second', async () => {
  const fifo = join(temporaryFolder(), 'run-span.json');
  execFileSync('mkfifo', [fifo]);
  const startMs = performance.now();
  const store = await openRunSpanStore(fifo, logged().conditions);
  expect(performance.now() - startMs).toBeLessThan(2_000);
  expect(store.previous).toBeUndefined();
  writeFileSync(fifo, '');
});
