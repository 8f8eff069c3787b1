import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { simulateCommand } from '../../../src/commands/simulate/command.ts';
import { metricsFile, readText } from './support.ts';

const quick = { WRITE_INTERVAL: '0.001', TOTAL_EPOCHS: '2', BATCHES_PER_EPOCH: '3' };

async function run(args: readonly string[], environment: Record<string, string>, signal?: AbortSignal) {
  const lines: string[] = [];
  const errors: string[] = [];
  const code = await simulateCommand(args, environment, {
    signal: signal ?? new AbortController().signal,
    print: (line) => lines.push(line),
    printError: (line) => errors.push(line),
  });
  return { code, lines, errors };
}

describe('simulate', () => {
  it('tells how to repeat it, each epoch, and the end', async () => {
    const path = await metricsFile();
    const { code, lines } = await run(['--seed', '9'], { ...quick, METRICS_FILE_PATH: path, JOB_ID: "it's" });
    expect(code).toBe(0);
    expect(lines).toEqual([
      `Simulating a training job. To repeat it: JOB_ID='it'\\''s' MODEL_NAME=resnet-50 DATASET=imagenet METRICS_FILE_PATH=${path} WRITE_INTERVAL=0.001 TOTAL_EPOCHS=2 BATCHES_PER_EPOCH=3 SEED=9 node dist/main.cjs simulate`,
      expect.stringMatching(/^Epoch 1\/2: loss \S+, validation loss \S+, accuracy \S+$/),
      expect.stringMatching(/^Epoch 2\/2: /),
      'Completed after 7 writes',
    ]);
  });

  it('lets --seed win over SEED, even over a wrong one', async () => {
    const METRICS_FILE_PATH = await metricsFile();
    const { lines } = await run(['--seed=3'], { ...quick, METRICS_FILE_PATH, SEED: 'x' });
    expect(lines[0]).toContain(' SEED=3 ');
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
      `After 0 writes: cannot write ${path}: a part of its path is not a folder (ENOTDIR)`,
    ]);
  });

  it('exits with 0 when it is stopped', async () => {
    const METRICS_FILE_PATH = await metricsFile();
    expect(await run([], { METRICS_FILE_PATH }, AbortSignal.abort())).toMatchObject({ code: 0 });
  });

  it('lists everything that is wrong, exits with 2 and writes nothing', async () => {
    const METRICS_FILE_PATH = await metricsFile();
    const { code, lines, errors } = await run(['--fault', 'fire', '--speed', 'extra', '--seed'], {
      METRICS_FILE_PATH,
      TOTAL_EPOCHS: '0',
      WRITE_INTERVAL: 'soon',
    });
    expect({ code, lines, file: await readText(METRICS_FILE_PATH) }).toEqual({
      code: 2,
      lines: [],
      file: '',
    });
    expect(errors.map((error) => error.split(':')[0])).toEqual([
      '--fault is "fire"',
      'unknown option --speed',
      'unexpected argument "extra"',
      '--seed has no value',
      'WRITE_INTERVAL is "soon"',
      'TOTAL_EPOCHS is "0"',
    ]);
  });

  it('removes its signal handlers', async () => {
    const count = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');
    const before = count();
    const METRICS_FILE_PATH = await metricsFile();
    const running = simulateCommand([], { ...quick, METRICS_FILE_PATH }, { print: () => {} });
    expect(count()).toBe(before + 2);
    await running;
    expect(count()).toBe(before);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('exits with 0 on %s, even when stalled', async (signal) => {
    const METRICS_FILE_PATH = await metricsFile();
    const command = new URL('../../../src/commands/simulate/command.ts', import.meta.url);
    const program = `import { simulateCommand } from '${command}';
      process.exitCode = await simulateCommand(['--fault', 'stall'], process.env);`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      env: { ...quick, METRICS_FILE_PATH },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const exit = once(child, 'exit');
    await expect.poll(() => readText(METRICS_FILE_PATH), { timeout: 20_000 }).toContain('"global_step": 3');
    child.kill(signal);
    expect(await exit).toEqual([0, null]);
  });
});
