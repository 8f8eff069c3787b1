import type { Snapshot } from '../snapshot/snapshot.ts';

/** How far a run is. No number here ever decreases within a run. */
export interface Progress {
  /** First epoch seen: the batches of those before it are not counted. */
  readonly firstEpoch: number | undefined;
  /** Highest epoch seen. */
  readonly epoch: number | undefined;
  /** Highest batch seen in that epoch. */
  readonly batch: number | undefined;
  /** Sum of the highest batches of the epochs before it. */
  readonly earlierBatches: number;
  /** How many epochs before it had batches. */
  readonly earlierEpochs: number;
  /** Whether an epoch after the first began at batch 0: each epoch then has one batch more than its highest number. */
  readonly fromZero: boolean;
  /** Whether a batch of epoch 0 was seen: epochs then count from 0. Batch 0 does not count, because jobs write it before they begin. */
  readonly epochsFromZero: boolean;
  /** Batches trained: global_step if the file has it, else the sum. Undefined until one of the two was seen. */
  readonly batches: number | undefined;
  /** Whether a global_step was seen. From then on only it counts, because the two ways to count cannot be mixed. */
  readonly bySteps: boolean;
}

export const noProgress: Progress = {
  firstEpoch: undefined,
  epoch: undefined,
  batch: undefined,
  earlierBatches: 0,
  earlierEpochs: 0,
  fromZero: false,
  epochsFromZero: false,
  batches: undefined,
  bySteps: false,
};

/**
 * Adds a snapshot's epoch, batch and global step. `batch_number` begins again at each epoch, so the highest of each
 * epoch is summed. That is exact if every batch is seen, and a lower bound if writes fall between polls. Batches count
 * from 1 unless an epoch after the first begins at 0: batch 0 of the first one is written by many jobs before they begin.
 */
export function advanceProgress(
  progress: Progress,
  { epoch, batch_number: batch, global_step: step }: Snapshot['values'],
): Progress {
  const summed = addBatch(progress, epoch, batch);
  const bySteps = progress.bySteps || step !== undefined;
  return {
    ...summed,
    firstEpoch: progress.firstEpoch ?? epoch,
    epochsFromZero: progress.epochsFromZero || ((epoch ?? 1) < 1 && (batch ?? 0) > 0),
    bySteps,
    batches: highest(progress.batches, bySteps ? step : sumOf(summed)),
  };
}

/**
 * Whether batches may have been missed: a poll may miss the last batches of an epoch, and nothing in the file says so. A
 * bridge that starts in a later epoch has missed those before it. A global_step has no such gaps.
 */
export function isLowerBound({ bySteps, earlierEpochs, firstEpoch = 1 }: Progress): boolean {
  return !bySteps && (earlierEpochs > 0 || firstEpoch >= 2);
}

function sumOf({ batch, earlierBatches, earlierEpochs, fromZero }: Progress): number | undefined {
  return batch === undefined ? undefined : earlierBatches + batch + (fromZero ? earlierEpochs + 1 : 0);
}

function addBatch(progress: Progress, epoch: number | undefined, batch: number | undefined): Progress {
  if (beginsEpoch(progress, epoch, batch)) {
    return {
      ...progress,
      epoch: epoch ?? progress.epoch,
      batch,
      earlierBatches: progress.earlierBatches + (progress.batch ?? 0),
      earlierEpochs: progress.earlierEpochs + Number(progress.batch !== undefined),
      fromZero: progress.fromZero || batch === 0,
    };
  }
  // The job went back to a checkpoint: the batches of this epoch are already counted.
  const isEarlier =
    epoch !== undefined && progress.epoch !== undefined && Math.floor(epoch) < Math.floor(progress.epoch);
  if (isEarlier) return progress;
  return { ...progress, epoch: highest(progress.epoch, epoch), batch: highest(progress.batch, batch) };
}

/** Epochs may be fractions such as 2.25; their whole part counts. Without epochs, a lower batch begins a new one. */
function beginsEpoch(progress: Progress, epoch: number | undefined, batch: number | undefined): boolean {
  if (epoch === undefined)
    return progress.epoch === undefined && batch !== undefined && batch < (progress.batch ?? 0);
  return progress.epoch !== undefined && Math.floor(epoch) > Math.floor(progress.epoch);
}

function highest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
}

const stepFields = ['epoch', 'batch_number', 'global_step'] as const;

/**
 * Whether the job has made a step since the last snapshot. The fields of the file are compared, not the counters: after a
 * job went back to a checkpoint, it trains while its counters do not grow. If a file never has steps, each snapshot is one.
 */
export function hasStepped(
  progress: Progress,
  before: Snapshot['values'],
  after: Snapshot['values'],
): boolean {
  const written = stepFields.filter((field) => after[field] !== undefined);
  if (written.length === 0) return progress.epoch === undefined && progress.batches === undefined;
  return written.some((field) => after[field] !== before[field]);
}
