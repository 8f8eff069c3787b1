import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RunShape, trainingSteps } from '../../../src/commands/simulate/steps.ts';

const shapes = fc.record({
  totalEpochs: fc.integer({ min: 1, max: 12 }),
  batchesPerEpoch: fc.integer({ min: 1, max: 12 }),
  seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
});
const stepsOf = (shape: RunShape) => [...trainingSteps(shape)];
const forEveryShape = (check: (shape: RunShape) => void) =>
  fc.assert(fc.property(shapes, (shape) => void check(shape)));

describe('the steps of a run', () => {
  it('are the same for the same seed', () =>
    forEveryShape((shape) => expect(stepsOf(shape)).toEqual(stepsOf(shape))));

  it('differ for another seed', () => {
    const shape = { totalEpochs: 2, batchesPerEpoch: 2 };
    expect(stepsOf({ ...shape, seed: 1 })).not.toEqual(stepsOf({ ...shape, seed: 2 }));
  });

  it('begin with epoch 1, batch 0', () =>
    forEveryShape((shape) =>
      expect(stepsOf(shape)[0]).toMatchObject({ epoch: 1, batchNumber: 0, globalStep: 0 }),
    ));

  it('count batches from 1 in every epoch, and all of them in global_step', () =>
    forEveryShape((shape) => {
      const expected = Array.from({ length: shape.totalEpochs }, (_, epoch) =>
        Array.from({ length: shape.batchesPerEpoch }, (_, batch) => [epoch + 1, batch + 1]),
      ).flat();
      const trained = stepsOf(shape).slice(1);
      expect(trained.map(({ epoch, batchNumber }) => [epoch, batchNumber])).toEqual(expected);
      expect(trained.map(({ globalStep }) => globalStep)).toEqual(expected.map((_, index) => index + 1));
    }));

  it('stay within what the values mean', () =>
    forEveryShape((shape) => {
      for (const step of stepsOf(shape)) {
        expect(step.trainingLoss).toBeGreaterThan(0);
        expect(step.accuracy).toBeGreaterThanOrEqual(0);
        expect(step.accuracy).toBeLessThanOrEqual(1);
        expect(step.gpuUtilization).toBeGreaterThan(0.5);
        expect(step.gpuUtilization).toBeLessThanOrEqual(1);
        expect(step.learningRate).toBe(0.001 * 0.95 ** step.epoch);
        expect(step.samplesPerSecond).toBeCloseTo(32 / (step.processingTimeMs / 1000), 1);
      }
    }));

  it('change the validation loss with the last batch of an epoch and never else', () =>
    forEveryShape((shape) => {
      const steps = stepsOf(shape);
      for (const [index, step] of steps.entries()) {
        const before = steps[index - 1];
        if (before && step.batchNumber < shape.batchesPerEpoch)
          expect(step.validationLoss).toBe(before.validationLoss);
      }
    }));

  it('learn: the loss falls and the accuracy rises, whatever the seed', () =>
    forEveryShape(({ seed }) => {
      const steps = stepsOf({ totalEpochs: 10, batchesPerEpoch: 100, seed });
      const mean = (of: 'trainingLoss' | 'accuracy', from: number) =>
        steps.slice(from, from + 100).reduce((sum, step) => sum + step[of], 0) / 100;
      for (const from of [0, 200, 400, 600]) {
        expect(mean('trainingLoss', from + 200)).toBeLessThan(mean('trainingLoss', from));
        expect(mean('accuracy', from + 200)).toBeGreaterThan(mean('accuracy', from));
      }
      expect(new Set(steps.map(({ validationLoss }) => validationLoss)).size).toBeGreaterThan(5);
    }));
});
