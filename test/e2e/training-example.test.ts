import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startBridge, type TestBridge } from '../support/bridge.ts';

const example = fileURLToPath(new URL('../../examples/training/train.py', import.meta.url));

/** Trains for real beside a bridge, and gives the trainer's exit code. */
async function train(bridge: TestBridge, ...args: readonly string[]): Promise<number | null> {
  const trainer = spawn('python3', [example, '--metrics-file', bridge.file, ...args], { stdio: 'ignore' });
  onTestFinished(() => void trainer.kill('SIGKILL'));
  return new Promise((resolve, reject) => {
    trainer.once('error', reject);
    trainer.once('close', resolve);
  });
}
const valuesOf = ({ receiver }: TestBridge, metric: string) =>
  receiver.points(metric).map(({ value }) => value);

describe('the training example', () => {
  it('is seen from its first batch to its last: it learns, and every batch is counted', async () => {
    const bridge = await startBridge();
    expect(await train(bridge, '--epochs', '4', '--batches-per-epoch', '50')).toBe(0);
    expect(await bridge.stop()).toMatchObject({ runs: 1, undelivered: 0 });
    expect(valuesOf(bridge, 'ml.training.epoch').at(-1)).toBe(4);
    expect(valuesOf(bridge, 'ml.training.batch_number').at(-1)).toBe(200);
    expect(valuesOf(bridge, 'ml.training.accuracy').at(-1)).toBeGreaterThan(0.9);
    expect(valuesOf(bridge, 'ml.training.loss').at(-1)).toBeLessThan(
      valuesOf(bridge, 'ml.training.loss').at(0) ?? 0,
    );
    // It has no GPU, and what was not measured is not there.
    expect(valuesOf(bridge, 'ml.training.gpu_utilization')).toEqual([]);
    expect(bridge.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('that diverges is seen to: the loss is NaN, and counted', async () => {
    const bridge = await startBridge();
    expect(await train(bridge, '--epochs', '6', '--learning-rate', '10', '--pause', '0.005')).toBe(0);
    await bridge.stop();
    expect(valuesOf(bridge, 'ml.training.loss').at(-1)).toBeNaN();
    const counts = bridge.receiver
      .points('ml.training.non_finite')
      .filter((it) => it.attributes.field === 'training_loss');
    expect(counts.at(-1)?.value).toBeGreaterThan(0);
    const sums = valuesOf(bridge, 'ml.training.processing_time');
    expect(sums.every(Number.isFinite)).toBe(true);
    expect(bridge.log).toContainEqual(
      expect.objectContaining({ message: 'Value is NaN or infinite', field: 'training_loss' }),
    );
  });
});
