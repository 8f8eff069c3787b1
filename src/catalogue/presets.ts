import { isNumericField, type NumericField, numericFieldNames } from './metrics.ts';

/**
 * Names that people and training frameworks write instead of the names of the catalogue. Only names whose meaning and
 * unit are clear are listed: a `step` may count within an epoch, and a `throughput` may be in tokens.
 */
export const presetNames: Readonly<Record<string, NumericField>> = {
  loss: 'training_loss',
  train_loss: 'training_loss',
  val_loss: 'validation_loss',
  valid_loss: 'validation_loss',
  eval_loss: 'validation_loss',
  acc: 'accuracy',
  train_acc: 'accuracy',
  train_accuracy: 'accuracy',
  training_accuracy: 'accuracy',
  lr: 'learning_rate',
  gpu_util: 'gpu_utilization',
  batch: 'batch_number',
  batch_idx: 'batch_number',
  max_epochs: 'total_epochs',
  num_epochs: 'total_epochs',
  num_train_epochs: 'total_epochs',
  max_steps: 'total_steps',
};

/** `Training Loss`, `training-loss` and `trainingLoss` are the same name. */
const normalized = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');

const fieldsByName: ReadonlyMap<string, NumericField> = new Map(
  [...Object.entries(presetNames), ...numericFieldNames.map((field) => [field, field] as const)].map(
    ([name, field]) => [normalized(name), field],
  ),
);

/** The field that a name of `training_metrics` stands for; undefined for a field itself and for any other name. */
export function presetField(name: string): NumericField | undefined {
  return isNumericField(name) ? undefined : fieldsByName.get(normalized(name));
}
