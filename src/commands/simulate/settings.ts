import { randomInt } from 'node:crypto';
import {
  type Environment,
  type Problem,
  readSettings,
  type SettingValues,
  setting,
} from '../../common/setting.ts';
import { integer, seconds, textSetting } from '../../common/setting-kinds.ts';

const largestSeed = 2 ** 32 - 1;

/** Every variable the simulated training job reads. */
export const simulationSettings = {
  jobId: setting('JOB_ID', textSetting, 'training-job-001', 'job_id of the simulated job'),
  modelName: setting('MODEL_NAME', textSetting, 'resnet-50', 'model_name of the simulated job'),
  dataset: setting('DATASET', textSetting, 'imagenet', 'dataset of the simulated job'),
  metricsFilePath: setting(
    'METRICS_FILE_PATH',
    textSetting,
    '/shared/metrics/current.json',
    'The JSON file to write; its directory is created if needed',
  ),
  writeIntervalMs: setting(
    'WRITE_INTERVAL',
    seconds(0.001),
    1000,
    'Seconds between writes, fractions allowed; one write per batch',
    { defaultText: '1' },
  ),
  totalEpochs: setting('TOTAL_EPOCHS', integer(1, 1_000_000), 10, 'Epochs of the run'),
  batchesPerEpoch: setting('BATCHES_PER_EPOCH', integer(1, 1_000_000), 100, 'Batches in one epoch'),
  seed: setting<number | undefined>(
    'SEED',
    integer(0, largestSeed),
    undefined,
    'Seed of the random values; a random one is chosen and printed by default',
  ),
} as const;

/** Settings of a simulation. Durations are in milliseconds. */
export interface SimulationSettings extends Omit<SettingValues<typeof simulationSettings>, 'seed'> {
  /** Whole number from 0 to 2^32 - 1. */
  readonly seed: number;
}

export type SimulationReading =
  | { readonly status: 'ok'; readonly settings: SimulationSettings }
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Reads the environment and collects all problems. Chooses a random seed if none is given. */
export function readSimulationSettings(environment: Environment): SimulationReading {
  const { status, values, problems } = readSettings(simulationSettings, environment);
  if (status === 'invalid') return { status, problems };
  const seed = values.seed ?? randomInt(largestSeed + 1);
  return { status: 'ok', settings: Object.freeze({ ...values, seed }) };
}
