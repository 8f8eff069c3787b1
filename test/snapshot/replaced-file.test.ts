import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it, onTestFinished } from 'vitest';
import { readMetricsFile } from '../../src/snapshot/json-file.ts';
import { temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

/** Replaces the file by rename all the time: 1,000 times the letter A, 2,000 times B, and so on. */
const replacing = `
const { renameSync, writeFileSync } = require('node:fs');
const file = require('node:worker_threads').workerData;
for (let turn = 0; ; turn++) {
  const letter = turn % 26;
  writeFileSync(file + '.next', String.fromCharCode(65 + letter).repeat(1000 * (letter + 1)));
  renameSync(file + '.next', file);
}`;

it('a file that is replaced all the time is read whole, and never of two versions', async () => {
  const file = join(temporaryFolder(), 'current.json');
  const writer = new Worker(replacing, { eval: true, workerData: file });
  onTestFinished(async () => void (await writer.terminate()));
  await until(async () => (await readMetricsFile(file)).status === 'ok', 'the first file');
  const letters = new Set<string>();
  for (let turn = 0; turn < 3_000; turn++) {
    const read = await readMetricsFile(file);
    if (read.status !== 'ok') throw new Error(`a read is ${read.status}`);
    const text = read.bytes.toString();
    const letter = text[0] ?? '';
    expect(text === letter.repeat(1000 * (letter.charCodeAt(0) - 64))).toBe(true);
    expect(Number(read.version.size)).toBe(text.length);
    letters.add(letter);
  }
  expect(letters.size).toBeGreaterThan(10);
});
