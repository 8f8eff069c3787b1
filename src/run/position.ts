import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Progress } from './progress.ts';

/** How much of a run is done. `share` is a fraction that a log states without saying of what. */
export interface Position {
  readonly unit: 'step' | 'epoch' | 'share';
  /** Not negative. It decreases if the job goes back to a checkpoint, and is above `total` if that is wrong. */
  readonly done: number;
  /** Greater than 0. */
  readonly total: number;
}

/** Share of the run that is done, from 0 to 1. */
export const shareDone = ({ done, total }: Position): number => Math.min(1, done / total);

/**
 * The position that a snapshot states: global_step of total_steps, else the epoch and its batch of total_epochs, else
 * the share that a log states. Undefined if none is known. The counters are not used, because they start again with the
 * bridge and miss batches between polls.
 */
export function positionOf(
  { values, reportedProgress }: Pick<Snapshot, 'values' | 'reportedProgress'>,
  progress: Pick<Progress, 'fromZero' | 'epochsFromZero'>,
): Position | undefined {
  return (
    limited('step', values.global_step, values.total_steps) ??
    limited('epoch', epochsDone(values, progress), values.total_epochs) ??
    limited('share', reportedProgress?.share, 1)
  );
}

/** Epochs and batches count from 1 unless the run was seen to count from 0. */
function epochsDone(
  { epoch, batch_number: batch, batches_per_epoch: batches }: Snapshot['values'],
  { fromZero, epochsFromZero }: Pick<Progress, 'fromZero' | 'epochsFromZero'>,
): number | undefined {
  if (epoch === undefined || batch === undefined || batches === undefined || batches <= 0) return undefined;
  const earlierEpochs = Math.floor(epoch) - (epochsFromZero ? 0 : 1);
  return earlierEpochs + Math.min(1, (batch + Number(fromZero)) / batches);
}

function limited(
  unit: Position['unit'],
  done: number | undefined,
  total: number | undefined,
): Position | undefined {
  if (done === undefined || total === undefined || total <= 0) return undefined;
  return { unit, done: Math.max(0, done), total };
}
