import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, inject, it } from 'vitest';
import { commandLine } from '../../support/terminal.ts';
import { metricsFile, readText } from './support.ts';

const quick = { WRITE_INTERVAL: '0.001', TOTAL_EPOCHS: '2', BATCHES_PER_EPOCH: '3' };

async function run(args: readonly string[], environment: Record<string, string>, signal?: AbortSignal) {
  const { code, text, errors } = await commandLine(['simulate', ...args], {
    environment,
    signal: signal ?? new AbortController().signal,
  });
  return { code, lines: linesOf(text), errors: linesOf(errors) };
}

const linesOf = (text: string) => text.split('\n').slice(0, -1);

describe('simulate', () => {
  it('tells how to repeat it, each epoch, and the end', async () => {
    const path = await metricsFile();
    const { code, lines } = await run(['--seed', '9'], { ...quick, METRICS_FILE_PATH: path, JOB_ID: "it's" });
    expect(code).toBe(0);
    expect(lines).toEqual([
      `Simulating a training job that writes ${path}`,
      `To repeat it: JOB_ID='it'\\''s' MODEL_NAME=resnet-50 DATASET=imagenet METRICS_FILE_PATH=${path} WRITE_INTERVAL=0.001 TOTAL_EPOCHS=2 BATCHES_PER_EPOCH=3 SEED=9 node dist/main.cjs simulate`,
      expect.stringMatching(/^Epoch 1\/2: loss \S+, validation loss \S+, accuracy \S+$/),
      expect.stringMatching(/^Epoch 2\/2: /),
      'Completed after 7 writes',
    ]);
  });

  it('lets --seed win over SEED, even over a wrong one', async () => {
    const METRICS_FILE_PATH = await metricsFile();
    const { lines } = await run(['--seed=3'], { ...quick, METRICS_FILE_PATH, SEED: 'x' });
    expect(lines[1]).toContain(' SEED=3 ');
  });

  it('exits with 1 after a crash', async () => {
    const METRICS_FILE_PATH = await metricsFile();
    const { code, lines } = await run(['--fault', 'crash'], { ...quick, METRICS_FILE_PATH });
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe('Crashed after 4 writes');
  });

  it('exits with 1 and a sentence where the file cannot be written', async () => {
    const path = `${process.execPath}/current.json`;
    const { code, errors } = await run([], { ...quick, METRICS_FILE_PATH: path });
    expect(code).toBe(1);
    expect(errors).toEqual([
      `ml-metrics-bridge simulate: after 0 writes: cannot write ${path}: a component of its path is not a directory (ENOTDIR)`,
    ]);
  });

  it('exits with 0 when it is stopped', async () => {
    const METRICS_FILE_PATH = await metricsFile();
    expect(await run([], { METRICS_FILE_PATH }, AbortSignal.abort())).toMatchObject({ code: 0 });
  });

  it('lists everything that is wrong, exits with 2 and writes nothing', async () => {
    const METRICS_FILE_PATH = await metricsFile();
    const { code, lines, errors } = await run(['--fault', 'fire', 'extra', '--speed', '--seed'], {
      METRICS_FILE_PATH,
      TOTAL_EPOCHS: '0',
      WRITE_INTERVAL: 'soon',
    });
    expect({ code, lines, file: await readText(METRICS_FILE_PATH) }).toEqual({
      code: 2,
      lines: [],
      file: '',
    });
    expect(errors.map((error) => error.replace('ml-metrics-bridge simulate: ', ''))).toEqual([
      '--fault is "fire", expected torn, nan, stall or crash.',
      'unknown option --speed. Did you mean --seed?',
      '--seed needs a value: N.',
      'unexpected argument "extra".',
      expect.stringMatching(/^WRITE_INTERVAL is "soon": /),
      expect.stringMatching(/^TOTAL_EPOCHS is "0": /),
      'See ml-metrics-bridge simulate --help.',
    ]);
  });

  it('removes its signal handlers', async () => {
    const count = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    const before = count();
    const METRICS_FILE_PATH = await metricsFile();
    const running = commandLine(['simulate'], { environment: { ...quick, METRICS_FILE_PATH } });
    await expect.poll(count, { interval: 1 }).toBe(before + 2);
    await running;
    expect(count()).toBe(before);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s, even when stalled', async (signal) => {
    const METRICS_FILE_PATH = await metricsFile();
    const child = spawn(process.execPath, [inject('bundle'), 'simulate', '--fault', 'stall'], {
      env: { ...quick, METRICS_FILE_PATH },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exit = once(child, 'exit');
    await expect.poll(() => readText(METRICS_FILE_PATH), { timeout: 20_000 }).toContain('"global_step": 3');
    child.kill(signal);
    expect(await exit).toEqual([0, null]);
  });
});
