import {
  type FieldDefinition,
  globalStep,
  type MetricDefinition,
  trainingMetrics,
} from '../../catalogue/metrics.ts';
import { prometheusName, prometheusSeriesNames } from '../../catalogue/prometheus-name.ts';
import { editDistance } from '../../cli/suggestion.ts';
import { extraMetric, extraName } from '../../snapshot/extras.ts';
import { maxTextLength } from '../../snapshot/values.ts';

/** What is wrong with a field and what to write instead, in words. */

const definitions: readonly Pick<FieldDefinition, 'field' | 'minimum' | 'maximum'>[] = [
  ...trainingMetrics,
  globalStep,
];

/** A value that is no number. `known` fields are expected to be one; others merely may be. */
export function adviseOnType(value: unknown, known: boolean, field = ''): string {
  if (typeof value === 'string') return adviseOnText(value, known, field);
  if (typeof value === 'boolean') return `is ${value}, not a number: write ${Number(value)}`;
  if (Array.isArray(value)) return 'is a list, not a number: write one number, such as its mean';
  return 'is an object, not a number: what is nested is not read, so write its numbers beside it';
}

function adviseOnText(value: string, known: boolean, field: string): string {
  const [, tensor] = /^tensor\((-?[\d.]+(?:e[+-]?\d+)?)/i.exec(value) ?? [];
  if (tensor !== undefined) return `is the text of a tensor: write ${tensor}, its .item()`;
  if (/^[+-]?\d+,\d+$/.test(value)) return `has a decimal comma: write ${value.replace(',', '.')}`;
  const [, percent] = /^([\d.]+) ?%$/.exec(value) ?? [];
  if (percent !== undefined)
    return `is text: write ${isFraction(field) ? fraction(Number(percent)) : percent}`;
  return known ? 'is text, not a number' : 'is text: only numbers become metrics';
}

const isFraction = (field: string) => definitions.find((it) => it.field === field)?.maximum === 1;
const fraction = (percent: number) => Number((percent / 100).toPrecision(12));

export function adviseOnRange(field: string, value: number): string {
  const { minimum, maximum } = definitions.find((it) => it.field === field) ?? {};
  if (minimum === 0 && maximum === 1) {
    const isPercent = value > 1 && value <= 100;
    return `is a fraction from 0 to 1${isPercent ? `: write ${fraction(value)}` : ''}`;
  }
  if (minimum === 0) return 'cannot be negative: leave the field out while there is no value';
  return `must be from ${minimum} to ${maximum}`;
}

export const adviseOnRank = 'is a whole number from 0 on';
export const adviseOnTime =
  'is not a time: write ISO 8601 such as 2025-10-23T10:15:00Z, or seconds since 1970';
export const adviseOnLength = `is longer than ${maxTextLength} characters, too long for a label`;
export const adviseOnNull = 'is null, which counts as not there';

/** A name that no metric can have. `others` are the fields beside it, whose names are not proposed again. */
export function adviseOnName(field: string, others: readonly string[]): string {
  if (field === '') return 'has no name';
  if (field.length > 64) return `has a name of ${field.length} characters: at most 64`;
  const proposal = field
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '');
  const isFree = extraName(proposal).status === 'ok' && !others.includes(proposal);
  return isFree
    ? `write ${proposal}: names are letters a to z, digits and _`
    : 'has a name that no metric can have: letters a to z, digits and _, a letter first';
}

/** A name whose Prometheus name is another's. `present` are the fields of the file. */
export function adviseOnTakenName(field: string, present: readonly string[]): string {
  const extra = extraName(field);
  const name = prometheusName(extraMetric(field.toLowerCase()));
  if (extra.status === 'refused' && extra.reason === 'name_taken') {
    const replaces = prometheusSeriesNames(extra.by).includes(name);
    const owner = definitionOf(extra.by)?.field;
    const meant =
      owner !== undefined && !present.includes(owner) ? `write ${owner} if that is meant, or ` : '';
    const clash = replaces ? `would replace ${name}` : `would be taken for ${prometheusName(extra.by)}`;
    return `${clash}: ${meant}choose another name`;
  }
  const other = present.find((it) => it !== field && prometheusOf(it) === name);
  return `would replace ${name}, which ${other ?? 'another field'} is: choose another name`;
}

const definitionOf = (metric: MetricDefinition) => trainingMetrics.find(({ name }) => name === metric.name);

function prometheusOf(field: string): string | undefined {
  const extra = extraName(field);
  return extra.status === 'ok' ? extra.prometheus : undefined;
}

/** Names people know from elsewhere. */
const synonyms: Readonly<Record<string, string>> = {
  train_loss: 'training_loss',
  val_loss: 'validation_loss',
  eval_loss: 'validation_loss',
  acc: 'accuracy',
  lr: 'learning_rate',
  gpu_util: 'gpu_utilization',
  throughput: 'samples_per_second',
  batch_idx: 'batch_number',
  batch: 'batch_number',
  step: 'global_step',
  steps: 'global_step',
  max_epochs: 'total_epochs',
  num_epochs: 'total_epochs',
  max_steps: 'total_steps',
};

/** The known field that an extra may have been meant for, where the file has none of that name. */
export function intendedField(
  field: string,
  known: readonly string[],
  present: readonly string[],
): string | undefined {
  const name = field.toLowerCase();
  const plain = name.replaceAll(/[^a-z0-9]/g, '');
  const meant =
    (Object.hasOwn(synonyms, name) ? synonyms[name] : undefined) ??
    known.find((it) => it.replaceAll('_', '') === plain) ??
    known.find((it) => it.length > 4 && editDistance(it, name) <= 2);
  return meant !== undefined && known.includes(meant) && !present.includes(meant) ? meant : undefined;
}

export const knownNumbers: readonly string[] = definitions.map(({ field }) => field);
