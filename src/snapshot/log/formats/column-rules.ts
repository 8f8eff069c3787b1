import {
  type ColumnRule,
  generalColumns,
  type LogPreset,
  stepOfTotalColumn,
} from '../../../catalogue/log-presets.ts';
import type { NumericField } from '../../../catalogue/metrics.ts';
import { readNumber } from '../../values.ts';
import type { LogRecord } from './decoder.ts';

type Fields = LogRecord['fields'];

/**
 * Lightning's LearningRateMonitor names the column after the optimizer: `lr-AdamW`, `lr-AdamW-1` for a second one, and
 * `lr-AdamW/pg1` for the first of several parameter groups.
 */
const optimizerLearningRate = /^lr-\w+(-\d+)?(\/pg1)?$/;

/** The name by which the tables have a column. */
function tableName(column: string): string {
  const name = column.toLowerCase();
  return optimizerLearningRate.test(name) ? 'lr' : name;
}

interface Candidate {
  readonly column: string;
  readonly value: unknown;
  readonly rank: number;
}

const generalRanks: ReadonlyMap<string, number> = new Map(
  Object.keys(generalColumns).map((name, index) => [name, index]),
);

/** The column that each field is read from, with its value in the field's unit. */
export function candidatesOf(preset: LogPreset, fields: Fields): ReadonlyMap<NumericField, Candidate> {
  const candidates = new Map<NumericField, Candidate>();
  const add = (field: NumericField, candidate: Candidate) => {
    if (candidate.rank < (candidates.get(field)?.rank ?? Number.POSITIVE_INFINITY))
      candidates.set(field, candidate);
  };
  for (const [column, written] of Object.entries(fields)) {
    const rule = ruleOf(preset, column, fields);
    if (rule !== undefined && isUsed(rule, fields))
      add(rule.field, {
        column,
        value: valueBy(rule, written),
        rank: generalRanks.get(tableName(column)) ?? -1,
      });
    const [, step, total] = (column === stepOfTotalColumn && /^(\d+)\/(\d+)$/.exec(String(written))) || [];
    if (step === undefined) continue;
    add('global_step', { column, value: Number(step), rank: -1 });
    add('total_steps', { column, value: Number(total), rank: -1 });
  }
  return candidates;
}

const isValidation = ({ validation }: LogPreset, fields: Fields) =>
  validation !== undefined && !Object.hasOwn(fields, validation.unless);

/** A column that has another meaning in a validation record: the `time` of mmengine's is of a validation batch. */
export const isValidationOnly = (preset: LogPreset, column: string, fields: Fields) =>
  isValidation(preset, fields) && preset.validation?.prefixed.includes(column) === true;

/** The rule of a column, if it may become a field. */
export function ruleOf(preset: LogPreset, column: string, fields: Fields): ColumnRule | undefined {
  const name = tableName(column);
  if (isValidationOnly(preset, column, fields)) return undefined;
  if (isValidation(preset, fields) && Object.hasOwn(preset.validation?.columns ?? {}, name))
    return preset.validation?.columns[name];
  const columns = Object.hasOwn(preset.columns, name) ? preset.columns : generalColumns;
  return Object.hasOwn(columns, name) ? columns[name] : undefined;
}

const isUsed = ({ beside, unless }: ColumnRule, fields: Fields) =>
  (beside === undefined || Object.hasOwn(fields, beside)) &&
  (unless === undefined || !Object.hasOwn(fields, unless));

function valueBy({ times = 1, plus = 0, round }: ColumnRule, written: unknown): unknown {
  const reading = readNumber(written);
  if (reading.status !== 'number') return written;
  const value = round === undefined ? reading.value : Math.ceil(reading.value);
  return value * times + plus;
}
