import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createLogOutput } from '../../src/common/log-output.ts';
import { temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';

const line = `${'x'.repeat(999)}\n`;

/** A pipe and both of its ends, as descriptors. */
function openPipe() {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  return { reader, writer: openSync(path, constants.O_WRONLY) };
}

function readAll(descriptor: number): string {
  const buffer = Buffer.alloc(1_048_576);
  try {
    return buffer.toString('utf8', 0, readSync(descriptor, buffer));
  } catch {
    return '';
  }
}

it('writes to a file at once', () => {
  const path = join(temporaryFolder(), 'log');
  const descriptor = openSync(path, 'w');
  onTestFinished(() => closeSync(descriptor));
  createLogOutput(descriptor).write(line);
  expect(readFileSync(path, 'utf8')).toBe(line);
});

it('writes to a pipe what fits, drops and counts what does not, and says so when the pipe is read', async () => {
  const { reader, writer } = openPipe();
  const output = createLogOutput(writer, 100_000);
  const reported: number[] = [];
  output.onRecovery((dropped) => reported.push(dropped));
  for (let index = 0; index < 1_000; index++) output.write(line);
  // A pipe holds 64 KiB, and 100,000 bytes wait.
  const expected = 1_000 - Math.ceil((65_536 + 100_000) / line.length);
  expect(output.dropped).toBeGreaterThan(expected - 5);
  expect(output.dropped).toBeLessThan(expected + 5);
  let text = '';
  await until(() => {
    text += readAll(reader);
    return text.length === (1_000 - output.dropped) * line.length;
  }, 'all lines that were not dropped');
  await until(() => reported.length > 0, 'the report');
  expect(reported).toEqual([output.dropped]);
  output.write('after\n');
  await until(() => readAll(reader) === 'after\n', 'the next line');
});

it('goes on when the reader of the pipe is gone', async () => {
  const path = join(temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = createLogOutput(openSync(path, constants.O_WRONLY));
  closeSync(reader);
  await until(() => {
    output.write(line);
    return output.dropped > 0;
  }, 'a line that cannot be written');
});
