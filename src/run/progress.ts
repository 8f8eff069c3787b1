import type { Snapshot } from '../snapshot/snapshot.ts';

/** How far a run is. Nothing here ever falls within a run. */
export interface Progress {
  /** Highest epoch seen. */
  readonly epoch: number | undefined;
  /** Highest batch seen in that epoch. */
  readonly batch: number | undefined;
  /** Sum of the highest batches of the epochs before it. */
  readonly earlierBatches: number;
  /** Batches trained: by global_step where it is given, else summed. Undefined while neither was seen. */
  readonly batches: number | undefined;
  /** Whether a global_step was seen: from then on it alone counts, because two ways to count cannot be mixed. */
  readonly bySteps: boolean;
}

export const noProgress: Progress = {
  epoch: undefined,
  batch: undefined,
  earlierBatches: 0,
  batches: undefined,
  bySteps: false,
};

/**
 * Takes a snapshot's epoch, batch and global step. `batch_number` begins again at every epoch, so the highest of each
 * is summed: exact when every batch is seen, a lower bound when writes fall between polls.
 */
export function advanceProgress(
  progress: Progress,
  { epoch, batch_number: batch, global_step: step }: Snapshot['values'],
): Progress {
  const summed = addBatch(progress, epoch, batch);
  const bySteps = progress.bySteps || step !== undefined;
  const sum = summed.batch === undefined ? undefined : summed.earlierBatches + summed.batch;
  return { ...summed, bySteps, batches: highest(progress.batches, bySteps ? step : sum) };
}

function addBatch(progress: Progress, epoch: number | undefined, batch: number | undefined): Progress {
  if (beginsEpoch(progress, epoch, batch)) {
    return {
      ...progress,
      epoch: epoch ?? progress.epoch,
      batch,
      earlierBatches: progress.earlierBatches + (progress.batch ?? 0),
    };
  }
  // An epoch that fell (a job that went back to a checkpoint) has had its batches counted.
  const isEarlier =
    epoch !== undefined && progress.epoch !== undefined && Math.floor(epoch) < Math.floor(progress.epoch);
  if (isEarlier) return progress;
  return { ...progress, epoch: highest(progress.epoch, epoch), batch: highest(progress.batch, batch) };
}

/** Some write fractions of an epoch, 2.25; batches are counted by its whole part. Without epochs, a batch that falls tells. */
function beginsEpoch(progress: Progress, epoch: number | undefined, batch: number | undefined): boolean {
  if (epoch === undefined)
    return progress.epoch === undefined && batch !== undefined && batch < (progress.batch ?? 0);
  return progress.epoch !== undefined && Math.floor(epoch) > Math.floor(progress.epoch);
}

function highest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

const position = ['epoch', 'batch_number', 'global_step'] as const;

/**
 * Whether the job has moved since the last snapshot. Told by what it writes and not by what is counted: a job that went
 * back to a checkpoint trains, though its counters stand still. Where a file has no steps at all, each snapshot is one.
 */
export function hasStepped(
  progress: Progress,
  before: Snapshot['values'],
  after: Snapshot['values'],
): boolean {
  const written = position.filter((field) => after[field] !== undefined);
  if (written.length === 0) return progress.epoch === undefined && progress.batches === undefined;
  return written.some((field) => after[field] !== before[field]);
}
