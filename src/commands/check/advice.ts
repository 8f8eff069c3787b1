import {
  type FieldDefinition,
  globalStep,
  type MetricDefinition,
  type NumericField,
  trainingMetrics,
} from '../../catalogue/metrics.ts';
import { presetField } from '../../catalogue/presets.ts';
import { prometheusName, prometheusSeriesNames } from '../../catalogue/prometheus-name.ts';
import { editDistance } from '../../cli/suggestion.ts';
import { extraMetric, extraName } from '../../snapshot/extras.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { maxTextLength, readNumber } from '../../snapshot/values.ts';

/** What is wrong with a field and what to write instead. Each text follows the field's name in a sentence. */

const definitions: readonly Pick<FieldDefinition, 'field' | 'minimum' | 'maximum'>[] = [
  ...trainingMetrics,
  globalStep,
];

/** A value that is not a number. `known` fields must be numbers; others may be. */
export function adviseOnType(value: unknown, known: boolean, field = ''): string {
  if (typeof value === 'string') return adviseOnText(value, known, field);
  if (typeof value === 'boolean') return `is a boolean: write ${Number(value)}`;
  if (Array.isArray(value)) return 'is a list: write one number, such as its mean';
  return 'is an object: nested values are not read, write them as fields of training_metrics';
}

function adviseOnText(value: string, known: boolean, field: string): string {
  const [, tensor] = /^tensor\((-?[\d.]+(?:e[+-]?\d+)?)/i.exec(value) ?? [];
  if (tensor !== undefined) return `is a tensor as text: write ${tensor}, the value of .item()`;
  if (/^[+-]?\d+,\d+$/.test(value)) return `has a decimal comma: write ${value.replace(',', '.')}`;
  const [, percent] = /^([\d.]+) ?%$/.exec(value) ?? [];
  if (percent !== undefined) {
    const meant = presetField(field);
    const number = isFraction(meant ?? field) ? fraction(Number(percent)) : percent;
    return `is a percentage as text: write ${number}${meant === undefined ? '' : ` as ${meant}`}`;
  }
  return known ? 'is text: write a number' : 'is text: only numbers are exported';
}

const isFraction = (field: string) => definitions.find((it) => it.field === field)?.maximum === 1;
const fraction = (percent: number) => Number((percent / 100).toPrecision(12));

export function adviseOnRange(field: string, value: number): string {
  const { minimum, maximum } = definitions.find((it) => it.field === field) ?? {};
  if (minimum === 0 && maximum === 1) {
    const isPercent = value > 1 && value <= 100;
    return `must be from 0 to 1${isPercent ? `: write ${fraction(value)}` : ''}`;
  }
  if (minimum === 0 && value < 0) return 'must not be negative: omit the field while it has no value';
  return `must be from ${minimum} to ${maximum}`;
}

export const adviseOnRank = 'must be a whole number, 0 or more';
export const adviseOnTime =
  'is not a valid time: write ISO 8601 such as 2025-10-23T10:15:00Z, or Unix seconds';
export const adviseOnLength = `is longer than ${maxTextLength} characters, the limit for a label`;
export const adviseOnNull = 'is null and is treated as absent';

/**
 * A name that is not a valid metric name. `others` are the other fields; their names are not proposed. `presets` are the
 * names that were read as a field of the catalogue.
 */
export function adviseOnName(field: string, others: readonly string[], presets: Snapshot['presets']): string {
  if (field === '') return 'is empty, which is not a valid name';
  if (field.length > 64) return `has a name of ${field.length} characters: the limit is 64`;
  const proposal = field
    .toLowerCase()
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '');
  const isFree = extraName(proposal).status === 'ok' && !others.includes(proposal);
  return isFree
    ? `is not a valid name: write ${proposal} (letters a-z, digits and _)`
    : (adviseOnRepetition(field, others, presets) ??
        'is not a valid name: use letters a-z, digits and _, and begin with a letter');
}

/** A name that stands for a field of the catalogue, which is read from another name of the file. */
function adviseOnRepetition(
  name: string,
  others: readonly string[],
  presets: Snapshot['presets'],
): string | undefined {
  const field = presetField(name);
  if (field === undefined) return undefined;
  if (others.includes(field)) return `stands for ${field}, which the file has already: omit it`;
  const read = presets.get(field);
  return read && `stands for ${field}, which is read from ${read}: write ${field} once`;
}

/** A name whose Prometheus name another metric has. `present` are the fields of the file. */
export function adviseOnTakenName(field: string, present: readonly string[]): string {
  const extra = extraName(field);
  const name = prometheusName(extraMetric(field.toLowerCase()));
  if (extra.status === 'refused' && extra.reason === 'name_taken') {
    const replaces = prometheusSeriesNames(extra.by).includes(name);
    const owner = definitionOf(extra.by)?.field;
    const meant =
      owner !== undefined && !present.includes(owner) ? `write ${owner} if you mean that, or ` : '';
    const clash = replaces ? `would overwrite ${name}` : `could be confused with ${prometheusName(extra.by)}`;
    return `${clash}: ${meant}use another name`;
  }
  const other = present.find((it) => it !== field && prometheusOf(it) === name);
  return `has the same Prometheus name as ${other ?? 'another field'}, ${name}: use another name`;
}

const definitionOf = (metric: MetricDefinition) => trainingMetrics.find(({ name }) => name === metric.name);

function prometheusOf(field: string): string | undefined {
  const extra = extraName(field);
  return extra.status === 'ok' ? extra.prometheus : undefined;
}

/** Names that may stand for a field, but whose meaning or unit is not clear enough to read them as that field. */
const ambiguousNames: Readonly<Record<string, NumericField>> = {
  throughput: 'samples_per_second',
  step: 'global_step',
  steps: 'global_step',
};

/** The field that a name may have been meant for, if the file does not have that field. */
export function intendedField(
  name: string,
  known: readonly string[],
  present: readonly string[],
): string | undefined {
  const lower = name.toLowerCase();
  const intended =
    (Object.hasOwn(ambiguousNames, lower) ? ambiguousNames[lower] : undefined) ??
    presetField(name) ??
    known.find((it) => it.length > 4 && editDistance(it, lower) <= 2);
  return intended === undefined || present.includes(intended) ? undefined : intended;
}

/** A gauge whose name may stand for `field`. Its value may have to be changed too, such as a percentage. */
export function adviseOnIntended(field: string, written: unknown): string {
  const reading = readNumber(written);
  const { minimum = -Infinity, maximum = Infinity } = definitions.find((it) => it.field === field) ?? {};
  const isOutside = reading.status === 'number' && (reading.value < minimum || reading.value > maximum);
  const range = isOutside ? `. It ${adviseOnRange(field, reading.value)}` : '';
  return `is an extra metric: write ${field} if you mean that${range}`;
}

export const knownNumbers: readonly string[] = definitions.map(({ field }) => field);
