import type { RunShape, TrainingStep } from './steps.ts';

export const faults = ['torn', 'nan', 'stall', 'crash'] as const;

/**
 * What goes wrong in a simulated run.
 * - `torn`: every fifth write, the first batch's included, goes into the file in place, in two halves.
 * - `nan`: `training_loss` is NaN from the middle epoch on.
 * - `stall`: after half of the batches nothing is written any more, and the job goes on without end.
 * - `crash`: after half of the batches the job ends, and the file says `running` for ever.
 */
export type SimulatedFault = (typeof faults)[number];

/** Whether the write of this step is a torn one. */
export const isTorn = (fault: SimulatedFault | undefined, { globalStep }: TrainingStep): boolean =>
  fault === 'torn' && globalStep % 5 === 1;

/**
 * How long half a file stands, in milliseconds: longer than the 50 ms after which a malformed file is read again, or
 * the fault would never show, and long enough that a reader as slow as the writer meets it now and then.
 */
export const tornPauseMs = (writeIntervalMs: number): number => Math.max(120, writeIntervalMs / 2);

/** First epoch whose loss is NaN under the fault `nan`. */
export const nanEpoch = ({ totalEpochs }: RunShape): number => Math.floor(totalEpochs / 2) + 1;

/** Last step that is written under the faults `stall` and `crash`. */
export const lastStepBeforeTheEnd = ({ totalEpochs, batchesPerEpoch }: RunShape): number =>
  Math.floor((totalEpochs * batchesPerEpoch) / 2);

/** The step as the file tells it under a fault. The numbers beside the loss stay as they are without one. */
export function withFault(
  step: TrainingStep,
  fault: SimulatedFault | undefined,
  shape: RunShape,
): TrainingStep {
  const diverged = fault === 'nan' && step.globalStep > 0 && step.epoch >= nanEpoch(shape);
  return diverged ? { ...step, trainingLoss: Number.NaN } : step;
}

/** What a person watching should expect, and when. */
export function describeFault(fault: SimulatedFault, shape: RunShape): string {
  switch (fault) {
    case 'torn':
      return 'every fifth write is torn in two';
    case 'nan':
      return `training_loss is NaN from epoch ${nanEpoch(shape)} on`;
    case 'stall':
      return `nothing is written after batch ${lastStepBeforeTheEnd(shape)}, and the job goes on`;
    case 'crash':
      return `the job crashes after batch ${lastStepBeforeTheEnd(shape)}`;
  }
}
