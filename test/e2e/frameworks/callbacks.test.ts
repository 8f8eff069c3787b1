import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { startBridge, type TestBridge } from '../../support/bridge.ts';
import { temporaryFolder } from '../../support/file.ts';
import { mountVolume } from '../../support/volume.ts';
import { hasTorch, trainingCommand, trainingEnvironment } from './training-script.ts';

const execute = promisify(execFile);
/** Below the timeout of a test, so that what the script said is in the error. */
const trainingTimeoutMs = 240_000;

/** Runs a training script to its end, and gives what it printed to stderr. Rejects if the script fails. */
async function train(script: string, file: string, ...args: readonly string[]): Promise<string> {
  const [program, ...command] = trainingCommand(script, file, ...args);
  // A script that hangs does not outlive its test.
  const { stderr } = await execute(program, command, {
    env: trainingEnvironment,
    timeout: trainingTimeoutMs,
  });
  return stderr;
}

const warningsIn = (said: string) => said.match(/Metrics were not written: .*/g) ?? [];
const valuesOf = ({ receiver }: TestBridge, metric: string) =>
  receiver.points(metric).map(({ value }) => value);

describe.each([
  { script: 'train_keras.py', steps: 60, isInstalled: true },
  { script: 'train_sklearn.py', steps: 60, isInstalled: true },
  { script: 'train_torch.py', steps: 80, isInstalled: hasTorch },
  { script: 'train_lightning.py', steps: 60, isInstalled: hasTorch },
  { script: 'train_huggingface.py', steps: 60, isInstalled: hasTorch },
])('$script', ({ script, steps, isInstalled }) => {
  it.runIf(isInstalled)(
    'is seen from its first loss to its end, in a folder that was not there',
    async () => {
      const bridge = await startBridge({ file: join(temporaryFolder(), 'not', 'there', 'current.json') });
      expect(warningsIn(await train(script, bridge.file, '--epochs', '4'))).toEqual([]);
      await bridge.stop();
      expect(valuesOf(bridge, 'ml.training.epoch').at(-1)).toBe(4);
      expect(valuesOf(bridge, 'ml.training.batch_number').at(-1)).toBe(steps);
      // Exact also for a bridge that does not see every write.
      expect(JSON.parse(readFileSync(bridge.file, 'utf8')).training_metrics.global_step).toBe(steps);
      expect(valuesOf(bridge, 'ml.training.progress').at(-1)).toBe(1);
      const losses = valuesOf(bridge, 'ml.training.loss');
      expect(losses.at(-1)).toBeLessThan(losses.at(0) ?? 0);
      if (script !== 'train_torch.py') expect(valuesOf(bridge, 'ml.validation.loss').at(-1)).toBeLessThan(1);
      const states = bridge.receiver.points('ml.training.run.state').filter(({ value }) => value === 1);
      expect(states.at(-1)?.attributes).toMatchObject({ state: 'completed' });
      expect(valuesOf(bridge, 'ml.training.non_finite').filter((count) => count !== 0)).toEqual([]);
    },
  );

  it.runIf(isInstalled && script !== 'train_sklearn.py')('writes a loss of NaN as it is', async () => {
    const bridge = await startBridge();
    await train(script, bridge.file, '--epochs', '2', '--learning-rate', 'inf');
    await bridge.stop();
    expect(valuesOf(bridge, 'ml.training.loss').at(-1)).toBeNaN();
  });

  it.runIf(isInstalled)('trains on with one warning if the disk is full', async () => {
    const folder = mountVolume('mode=777,nr_inodes=1');
    const said = await train(script, join(folder, 'current.json'), '--epochs', '2');
    const processes = script === 'train_torch.py' ? 2 : 1;
    expect(warningsIn(said)).toEqual(
      Array(processes).fill(expect.stringContaining('No space left on device')),
    );
  });
});

it.runIf(hasTorch)('train_torch.py: each rank is seen', async () => {
  const folder = temporaryFolder();
  const bridge = await startBridge({
    file: join(folder, 'current.json'),
    environment: { RANK_FILES: join(folder, 'rank-*.json') },
  });
  await train('train_torch.py', bridge.file, '--epochs', '4');
  await bridge.stop();
  const steps = bridge.receiver.points('ml.training.rank.step').filter(({ value }) => Number(value) > 60);
  expect(new Set(steps.map(({ attributes }) => attributes.rank))).toEqual(new Set([0, 1]));
});
