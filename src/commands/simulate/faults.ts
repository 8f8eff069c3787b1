import type { SimulationSettings } from './settings.ts';
import type { TrainingStep } from './steps.ts';

export const faults = ['torn', 'nan', 'stall', 'crash'] as const;

/**
 * What goes wrong in a simulated run.
 * - `torn`: every fifth write, including that of the first batch, is written in place and in two halves.
 * - `nan`: `training_loss` becomes NaN.
 * - `stall`: nothing is written any more, and the job does not end.
 * - `crash`: the job ends, and the file still says `running`.
 *
 * All but `torn` begin after half of the batches, or 15 s after the start if that is earlier.
 */
export type SimulatedFault = (typeof faults)[number];

/** Whether the write of this step is a torn one. */
export const isTorn = (fault: SimulatedFault | undefined, { globalStep }: TrainingStep): boolean =>
  fault === 'torn' && globalStep % 5 === 1;

/**
 * How long a file stays half-written, in milliseconds. It must exceed the 50 ms after which the bridge reads a malformed
 * file again. A bridge that polls as often as the job writes then polls at least once in this time.
 */
export const tornPauseMs = (writeIntervalMs: number): number => Math.max(120, writeIntervalMs);

/** What decides when a fault begins. */
type FaultSchedule = Pick<SimulationSettings, 'totalEpochs' | 'batchesPerEpoch' | 'writeIntervalMs'>;

const longestWaitMs = 15_000;

/** The last step without the faults `nan`, `stall` and `crash`; at least 1, so that there is something to see first. */
export function lastStepBeforeFault({
  totalEpochs,
  batchesPerEpoch,
  writeIntervalMs,
}: FaultSchedule): number {
  const half = Math.floor((totalEpochs * batchesPerEpoch) / 2);
  return Math.max(1, Math.min(half, Math.floor(longestWaitMs / writeIntervalMs)));
}

/** The step as the file shows it under a fault. All values but the loss stay as they are. */
export function withFault(
  step: TrainingStep,
  fault: SimulatedFault | undefined,
  settings: FaultSchedule,
): TrainingStep {
  const diverged = fault === 'nan' && step.globalStep > lastStepBeforeFault(settings);
  return diverged ? { ...step, trainingLoss: Number.NaN } : step;
}

/** What will be seen, and when. */
export function describeFault(fault: SimulatedFault, settings: FaultSchedule): string {
  const last = lastStepBeforeFault(settings);
  const when = `after batch ${last}, in about ${secondsText(last * settings.writeIntervalMs)} s`;
  switch (fault) {
    case 'torn': {
      const pause = secondsText(tornPauseMs(settings.writeIntervalMs));
      return `every fifth write is torn: the file is half-written for ${pause} s. A bridge reports it with COLLECTION_INTERVAL=${pause} or less`;
    }
    case 'nan':
      return `training_loss becomes NaN ${when}`;
    case 'stall':
      return `the job stops writing ${when}, and does not end. A bridge reports it after STALL_AFTER (600 s by default)`;
    case 'crash':
      return `the job crashes ${when}`;
  }
}

const secondsText = (ms: number) => String(Number((ms / 1000).toPrecision(2)));
