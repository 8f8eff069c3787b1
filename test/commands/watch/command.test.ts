import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { runCommandLine } from '../../../src/commands/command-line.ts';
import {
  exampleText,
  type FileOverrides,
  openFilesIn,
  replaceFile,
  temporaryFolder,
} from '../../support/file.ts';
import { capture, commandLine } from '../../support/terminal.ts';
import { until } from '../../support/until.ts';

const example = (step: number, options: FileOverrides = {}) =>
  exampleText({ ...options, metrics: { global_step: step, total_steps: 100, ...options.metrics } });

function exampleIn(folder: string, name = 'current.json', options: FileOverrides = {}): string {
  const file = join(folder, name);
  writeFileSync(file, example(10, options));
  return file;
}

describe('watch --once', () => {
  it('prints one frame without escape codes, and ends', async () => {
    const { code, text } = await commandLine(['watch', '--once', exampleIn(temporaryFolder())]);
    expect(code).toBe(0);
    expect(text).toMatch(/training-job-001 .*● running/);
    expect(text).toContain(' 10.0 %');
    expect(text).not.toContain('\u001b');
  });

  it('reads METRICS_FILE_PATH, or several files', async () => {
    const folder = temporaryFolder();
    const files = [0, 1, 2].map((rank) => exampleIn(folder, `${rank}.json`, { job: { rank } }));
    const { text } = await commandLine(['watch', '--once'], {
      environment: { METRICS_FILE_PATH: files[0] ?? '' },
    });
    expect(text).toContain('training-job-001 rank 0');
    const several = await commandLine(['watch', '--once', ...files]);
    for (const rank of [0, 1, 2]) expect(several.text).toContain(`training-job-001 rank ${rank}`);
  });

  it('reads the files of ranks, and without a file those of RANK_FILES beside the main one', async () => {
    const folder = temporaryFolder();
    const main = exampleIn(folder, 'current.json', { job: { rank: 0 } });
    for (const rank of [1, 2, 10]) {
      const file = join(folder, `rank-${rank}.json`);
      writeFileSync(file, JSON.stringify({ rank, global_step: 100 + rank, rank_compute_ms: 181 }));
    }
    const named = await commandLine(['watch', '--once', join(folder, 'rank-2.json')]);
    expect(named.code).toBe(0);
    expect(named.text).toMatch(/^ rank 2 .*● running\n step 102$/m);
    expect(named.text).toMatch(/rank_compute_ms {4}\s*181/);
    const all = await commandLine(['watch', '--once'], {
      environment: { METRICS_FILE_PATH: main, RANK_FILES: join(folder, '*.json') },
    });
    const names = [...all.text.matchAll(/^[▸ ](.*?) +● running/gm)].map(([, name]) => name);
    expect(names).toEqual(['training-job-001 rank 0', 'rank 1', 'rank 2', 'rank 10']);
  });

  it('closes a log at its end', async () => {
    const folder = temporaryFolder();
    const file = join(folder, 'log.jsonl');
    writeFileSync(file, '{"step":1,"loss":0.5}\n');
    expect((await commandLine(['watch', '--once', file])).code).toBe(0);
    expect(openFilesIn(folder)).toEqual([]);
  });

  it('knows no time left from a log that says nothing of when it was recorded', async () => {
    const file = join(temporaryFolder(), 'log.jsonl');
    const record = (step: number) => `${JSON.stringify({ step, total_steps: 1000, loss: 1 / step })}\n`;
    writeFileSync(file, Array.from({ length: 300 }, (_, index) => record(index + 1)).join(''));
    const { text } = await commandLine(['watch', '--once', file]);
    expect(text).toMatch(/30\.0 %$/m);
  });

  it('reports no stall within a log of hours that is longer than what one poll reads', async () => {
    const file = join(temporaryFolder(), 'log.jsonl');
    const startS = Date.now() / 1000 - 60_000;
    const record = (step: number) => `${JSON.stringify({ step, loss: 1, timestamp: startS + step * 60 })}\n`;
    writeFileSync(file, Array.from({ length: 1000 }, (_, index) => record(index + 1)).join(''));
    const { text } = await commandLine(['watch', '--once', file]);
    expect(text).toMatch(/● running/);
    expect(text.match(/Z {2}.*/g)).toEqual([expect.stringContaining('run began')]);
  });

  it('ends with 1 if a file is missing or broken, and with 2 if a variable is wrong', async () => {
    const folder = temporaryFolder();
    const missing = await commandLine(['watch', '--once', join(folder, 'none.json'), exampleIn(folder)]);
    expect(missing.code).toBe(1);
    expect(missing.text).toMatch(/● not read .*ml-metrics-bridge-test/);
    writeFileSync(join(folder, 'torn.json'), '{"training_metrics": {');
    expect((await commandLine(['watch', '--once', join(folder, 'torn.json')])).code).toBe(1);
    expect((await commandLine(['watch'], { environment: { STALE_AFTER: 'soon' } })).code).toBe(2);
  });
});

/** Watches files until the test ends, with keys that can be pressed. */
function watching(
  files: readonly string[],
  properties: Parameters<typeof capture>[0],
  environment: Readonly<Record<string, string>> = {},
) {
  const shown = capture(properties);
  const stop = new AbortController();
  const modes: boolean[] = [];
  const stdin = Object.assign(new PassThrough(), {
    isTTY: properties?.isTTY ?? false,
    setRawMode: (mode: boolean) => void modes.push(mode),
  });
  const ended = runCommandLine(['watch', ...files], {
    environment,
    stdin,
    stdout: shown.output,
    stderr: capture().output,
    stopSignal: () => stop.signal,
  });
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  const shows = (text: string | RegExp) =>
    until(() => new RegExp(text).test(shown.text()), `${text}, of ${shown.text()}`);
  return { shows, text: shown.text, press: (key: string) => stdin.write(key), stop, ended, modes };
}

it('refuses options that exclude each other', async () => {
  const file = exampleIn(temporaryFolder());
  const { code, errors } = await commandLine(['watch', '--once', '--serve', file]);
  expect([code, errors]).toEqual([2, expect.stringContaining('--once and --serve exclude each other')]);
  const port = await commandLine(['watch', '--once', '--port', '80', file]);
  expect([port.code, port.errors]).toEqual([2, expect.stringContaining('--port needs --serve')]);
});

describe('on a terminal', () => {
  const terminal = { isTTY: true, columns: 80, rows: 24 };

  it('shows each write, takes keys, and restores the terminal when q is pressed', async () => {
    const file = exampleIn(temporaryFolder());
    const { shows, press, ended, text, modes } = watching([file], terminal);
    await shows(/▸training_loss/);
    press('\u001b[C');
    await shows(/▸validation_loss/);
    replaceFile(file, example(11));
    await shows(/step 11 of 100/);
    press('q');
    expect(await ended).toBe(0);
    expect(text()).toMatch(/\u001b\[\?25l.*\u001b\[\?25h$/s);
    expect(modes).toEqual([true, false]);
  });

  it('writes nothing while nothing changes', async () => {
    const folder = temporaryFolder();
    // Beside each other in rows, because a panel says how long ago its file was written.
    const files = [1, 2, 3].map((rank) => exampleIn(folder, `${rank}.json`, { job: { rank } }));
    const { shows, text } = watching(files, terminal);
    await shows(/rank 1.*\n.*rank 2.*\n.*rank 3 .*● running/);
    const before = text();
    await sleep(600);
    expect(text()).toBe(before);
  });

  it('takes a terminal that says that its size is 0 for one of the usual size', async () => {
    const { shows } = watching([exampleIn(temporaryFolder())], { isTTY: true, columns: 0, rows: 0 });
    await shows(/training-job-001[^\n]*● running/);
    await shows(/▸training_loss/);
  });

  it('shows a file that breaks, vanishes, turns NaN and is written again', async () => {
    const file = join(temporaryFolder(), 'current.json');
    const { shows } = watching([file], terminal);
    await shows(/● not read/);
    replaceFile(file, example(10));
    await shows(/● running/);
    replaceFile(file, '{"training_metrics": {"training_loss": 1.');
    await shows(/JSON/);
    rmSync(file);
    await shows(/does not exist/);
    replaceFile(file, example(12).replace('1.2345', 'NaN'));
    await shows(/training_loss became NaN/);
    await shows(/step 12 of 100/);
  });
});

describe('without a terminal', () => {
  it('prints a line for each write, and ends with the signal', async () => {
    const file = exampleIn(temporaryFolder());
    const { shows, stop, ended, text } = watching([file], {});
    await shows(/10\.0 %\n/);
    replaceFile(file, example(20, { top: { status: 'completed' } }));
    await shows(/run completed\n.* 20\.0 %\n/);
    stop.abort();
    expect(await ended).toBe(0);
    expect(text()).not.toContain('\u001b');
  });
});

it('prints lines on a terminal that cannot move its cursor', async () => {
  const { shows, text } = watching([exampleIn(temporaryFolder())], { isTTY: true }, { TERM: 'dumb' });
  await shows(/10\.0 %\n/);
  expect(text()).not.toContain('\u001b');
});

it('changes nothing of the file and of its folder', async () => {
  const folder = temporaryFolder();
  const file = exampleIn(folder);
  chmodSync(file, 0o444);
  const before = statSync(file, { bigint: true });
  const folderBefore = statSync(folder, { bigint: true });
  await commandLine(['watch', '--once', file]);
  const after = statSync(file, { bigint: true });
  expect([after.mtimeNs, after.ctimeNs, after.ino]).toEqual([before.mtimeNs, before.ctimeNs, before.ino]);
  expect(statSync(folder, { bigint: true }).mtimeNs).toBe(folderBefore.mtimeNs);
});

it('ends when a pipe at its input ends, and not with an input that is empty from the beginning', async () => {
  const file = exampleIn(temporaryFolder());
  const start = (stdin: 'pipe' | 'ignore') => {
    const child = spawn(process.execPath, [inject('bundle'), 'watch', file], {
      stdio: [stdin, 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
    return { child, shows: (text: string) => until(() => output.includes(text), text) };
  };
  const [piped, empty] = [start('pipe'), start('ignore')];
  await Promise.all([piped.shows('10.0 %'), empty.shows('10.0 %')]);
  piped.child.stdin?.end();
  expect(await once(piped.child, 'close')).toEqual([0, null]);
  replaceFile(file, example(20));
  await empty.shows('20.0 %');
});
