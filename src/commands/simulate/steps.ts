import { gaussian, mulberry32 } from './random.ts';

/** The values of a training job after one batch, in the units of the file. */
export interface TrainingStep {
  /** From 1. */
  readonly epoch: number;
  /** Batch within the epoch: from 1, but 0 before the first batch of the run. */
  readonly batchNumber: number;
  /** Batches since the run began. */
  readonly globalStep: number;
  readonly trainingLoss: number;
  readonly validationLoss: number;
  /** 0 to 1. */
  readonly accuracy: number;
  readonly learningRate: number;
  /** 0 to 1. */
  readonly gpuUtilization: number;
  readonly processingTimeMs: number;
  readonly samplesPerSecond: number;
}

/** What the values depend on. */
export interface RunShape {
  readonly totalEpochs: number;
  readonly batchesPerEpoch: number;
  /** Whole number from 0 to 2^32 - 1. */
  readonly seed: number;
}

const batchSize = 32;
const untrainedLoss = 2.5;
const trainedLoss = 0.25;

/**
 * The steps of one run, including the state before its first batch: `1 + totalEpochs * batchesPerEpoch` of them. Pure:
 * the same shape gives the same steps. The curves are scaled to the length of the run.
 */
export function* trainingSteps({
  totalEpochs,
  batchesPerEpoch,
  seed,
}: RunShape): Generator<TrainingStep, void> {
  const random = mulberry32(seed);
  const noisy = (value: number, spread: number) => value * (1 + spread * gaussian(random));
  const totalSteps = totalEpochs * batchesPerEpoch;
  const validate = (progress: number) => noisy(expectedLoss(progress) * 1.08 + 0.03, 0.02);
  let validationLoss = validate(0);
  for (let globalStep = 0; globalStep <= totalSteps; globalStep++) {
    const epoch = Math.max(1, Math.ceil(globalStep / batchesPerEpoch));
    const batchNumber = globalStep - (epoch - 1) * batchesPerEpoch;
    const progress = globalStep / totalSteps;
    const processingTimeMs = Math.max(20, Math.round(noisy(238, 0.08)));
    // The validation loss is measured at the end of each epoch and kept until the end of the next.
    if (batchNumber === batchesPerEpoch) validationLoss = validate(progress);
    yield {
      epoch,
      batchNumber,
      globalStep,
      trainingLoss: rounded(noisy(expectedLoss(progress), 0.04), 4),
      validationLoss: rounded(validationLoss, 4),
      accuracy: rounded(ratio(0.94 - 0.84 * Math.exp(-3 * progress) + 0.01 * gaussian(random)), 4),
      learningRate: 0.001 * 0.95 ** epoch,
      gpuUtilization: rounded(ratio(0.9 + 0.03 * gaussian(random)), 3),
      processingTimeMs,
      samplesPerSecond: rounded(batchSize / (processingTimeMs / 1000), 2),
    };
  }
}

const expectedLoss = (progress: number) =>
  trainedLoss + (untrainedLoss - trainedLoss) * Math.exp(-4 * progress);

const ratio = (value: number) => Math.min(1, Math.max(0, value));

const rounded = (value: number, decimals: number) => Number(value.toFixed(decimals));
