import type { PresetName } from './file-formats.ts';
import type { NumericField } from './metrics.ts';

/** How a column of a log becomes a field of the catalogue. */
export interface ColumnRule {
  readonly field: NumericField;
  /** Multiplies the value: 1000 for seconds that become milliseconds. */
  readonly times?: number;
  /** Added to a count that begins at 0. */
  readonly plus?: number;
  /** A fraction of an epoch belongs to the epoch it is in: 0.125 and 1.0 are epoch 1. */
  readonly round?: 'up';
  /** The column is left out of a record that does not have this column. */
  readonly beside?: string;
  /** The column is a gauge of its own in a record that has this column. */
  readonly unless?: string;
}

export interface LogPreset {
  /** Columns of the framework's first record. Each set identifies it. */
  readonly signatures: readonly (readonly string[])[];
  /** Rules of this framework. They replace the general rules of the same name. */
  readonly columns: Readonly<Record<string, ColumnRule>>;
  /** Column that holds the seconds since training began. */
  readonly elapsed?: string;
  /** Columns that say how far the run is: percent that are done, and the time until its end. */
  readonly progress?: { readonly percent?: string; readonly remaining: string };
  /** Column whose object holds the measurements. */
  readonly nested?: string;
  /** Whether null stands for NaN. */
  readonly nullIsNaN?: boolean;
  /** Column that only a summary has; the summary repeats other records. */
  readonly summary?: string;
  /** Columns that are equal in a record that repeats the one before it. */
  readonly repeated?: readonly string[];
  /**
   * For a record without the column `unless`: rules, and columns that get the prefix `val_`. The rules are for runs that
   * count epochs. A run whose other records have no epoch counts iterations, also in its validations.
   */
  readonly validation?: {
    readonly unless: string;
    readonly columns: Readonly<Record<string, ColumnRule>>;
    readonly prefixed: readonly string[];
  };
}

const epoch: ColumnRule = { field: 'epoch', round: 'up' };
const epochFromZero: ColumnRule = { field: 'epoch', round: 'up', plus: 1 };
const stepFromZero: ColumnRule = { field: 'global_step', plus: 1 };
const secondsPerStep: ColumnRule = { field: 'processing_time_ms', times: 1000 };

const rules = (field: NumericField, names: string) =>
  Object.fromEntries(names.split(' ').map((name) => [name, { field }] as const));

/**
 * Names that mean the same in every framework's log, in lower case. Where a record has several names of one field, the
 * first in this table counts, and the others become gauges of their own.
 */
export const generalColumns: Readonly<Record<string, ColumnRule>> = {
  ...rules('training_loss', 'training_loss train/loss loss loss/train total_loss train/epoch_loss'),
  // Beside train_runtime it is the mean of the whole run.
  train_loss: { field: 'training_loss', unless: 'train_runtime' },
  ...rules('training_loss', 'train_loss_step loss_step'),
  ...rules('validation_loss', 'validation_loss eval_loss val_loss valid_loss val/loss eval/loss'),
  ...rules('validation_loss', 'validation/loss loss/val loss/validation loss/valid validation/epoch_loss'),
  ...rules('validation_loss', 'val_loss_epoch'),
  ...rules('accuracy', 'accuracy train/accuracy train_accuracy train_acc acc accuracy/train'),
  ...rules('accuracy', 'train/epoch_accuracy'),
  ...rules('learning_rate', 'learning_rate train/learning_rate lr train/lr lr/pg0'),
  ...rules('learning_rate', 'train/epoch_learning_rate'),
  ...rules('samples_per_second', 'samples_per_second train/samples_per_second'),
  ...rules('gpu_utilization', 'gpu_utilization gpu_util'),
  ...rules('processing_time_ms', 'processing_time_ms'),
  ...rules('batch_number', 'batch_number batch batch_idx'),
  ...rules('global_step', 'global_step train/global_step current_steps step iteration iter'),
  ...rules('total_steps', 'total_steps max_steps'),
  ...rules('total_epochs', 'total_epochs max_epochs num_epochs num_train_epochs'),
  ...rules('batches_per_epoch', 'batches_per_epoch'),
  epoch,
  'train/epoch': epoch,
};

/** Columns of the form `5/160`, as step and total. */
export const stepOfTotalColumn = 'global_step/max_steps';

/** Columns that say when a record was written. They are not measurements. */
export const clockColumns: ReadonlySet<string> = new Set([
  'timestamp',
  'wall_time',
  'elapsed_time',
  'remaining_time',
]);

/** Columns with the time of a record, ISO 8601 or Unix seconds. */
export const timeColumns = ['timestamp', 'wall_time'] as const;

/** Columns of a record that hold the seconds since training began. */
export function elapsedColumns(fields: Readonly<Record<string, unknown>>): readonly string[] {
  return hasSignature(logPresets.ultralytics, fields) ? ['elapsed_time', 'time'] : ['elapsed_time'];
}

export const hasSignature = ({ signatures }: LogPreset, fields: Readonly<Record<string, unknown>>) =>
  signatures.some((columns) => columns.every((column) => Object.hasOwn(fields, column)));

const general: Pick<LogPreset, 'signatures' | 'columns'> = { signatures: [], columns: {} };

export const logPresets: Readonly<Record<PresetName, LogPreset>> = {
  'llama-factory': {
    signatures: [['current_steps', 'total_steps', 'percentage']],
    columns: {},
    progress: { percent: 'percentage', remaining: 'remaining_time' },
  },
  swift: {
    signatures: [[stepOfTotalColumn]],
    // An evaluation repeats the speed of the training before it.
    columns: { 'train_speed(s/it)': { ...secondsPerStep, beside: 'loss' } },
    progress: { remaining: 'remaining_time' },
    summary: 'log_history',
    repeated: [stepOfTotalColumn, 'eval_loss'],
  },
  ultralytics: {
    signatures: [
      ['epoch', 'time', 'lr/pg0'],
      ['epoch', 'time', 'train/box_loss'],
    ],
    columns: {},
    elapsed: 'time',
  },
  // These two are told by more than the names of their columns.
  keras: { signatures: [], columns: { epoch: epochFromZero } },
  lightning: { signatures: [], columns: { epoch: epochFromZero, step: stepFromZero } },
  detectron2: {
    signatures: [['iteration', 'data_time', 'time']],
    // The evaluation after the training says the iteration that would be next.
    columns: { iteration: { ...stepFromZero, beside: 'time' }, time: secondsPerStep },
  },
  mmengine: {
    signatures: [
      ['iter', 'data_time', 'time', 'step'],
      ['data_time', 'time', 'step'],
    ],
    columns: { time: secondsPerStep },
    validation: { unless: 'iter', columns: { step: epoch }, prefixed: ['time', 'data_time'] },
  },
  verl: { signatures: [['step', 'data']], columns: {}, nested: 'data', nullIsNaN: true },
  jsonl: general,
  csv: general,
  tensorboard: general,
};
