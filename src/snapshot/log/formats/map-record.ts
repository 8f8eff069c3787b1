import type { PresetName } from '../../../catalogue/file-formats.ts';
import {
  clockColumns,
  type LogPreset,
  logPresets,
  stepOfTotalColumn,
} from '../../../catalogue/log-presets.ts';
import type { NumericField } from '../../../catalogue/metrics.ts';
import { interpret } from '../../interpret.ts';
import type { ReportedProgress, SnapshotParseResult } from '../../snapshot.ts';
import { readNumber } from '../../values.ts';
import { candidatesOf, isValidationOnly, ruleOf } from './column-rules.ts';
import type { LogRecord } from './decoder.ts';
import { durationSeconds } from './record-times.ts';
import { respell } from './respell.ts';

type Fields = LogRecord['fields'];

/** How a column of a log is used. */
export type ColumnUse =
  | { readonly use: 'field'; readonly field: NumericField }
  | { readonly use: 'gauge'; readonly name: string }
  /** It is the time of the record, or repeats a measurement. */
  | { readonly use: 'left_out' }
  /** Another column has become the gauge of this name. */
  | { readonly use: 'name_taken'; readonly name: string };

export type MappedRecord =
  | {
      readonly status: 'ok';
      /** The content of a metrics file with these measurements. */
      readonly document: Fields;
      /** The columns as written, also those inside an object that has the measurements. */
      readonly written: Fields;
      /** By the column's name in the log. */
      readonly columns: ReadonlyMap<string, ColumnUse>;
      /** The loss is 0 and grad_norm is NaN. The loss was NaN, but the framework wrote 0. */
      readonly hidesNaN: boolean;
      readonly progress: ReportedProgress | undefined;
    }
  | { readonly status: 'not_a_measurement'; readonly reason: 'summary' | 'repeated' | 'no_values' };

export type RecordMapper = (record: Pick<LogRecord, 'fields'>) => MappedRecord;

export interface MapperOptions {
  /** Folder of the event file, relative to that of the run: `validation`. Empty for the run's own folder. */
  readonly folder?: string;
}

/** Limit of the table of gauge names, so that a hostile file cannot fill the memory. The table is then cleared. */
const maxNames = 20_000;

/**
 * Maps records of one log to the shape of a metrics file. Two columns may get the same name as a gauge. The first of them
 * keeps the name in all later records, because the values of both would otherwise be mixed in one series.
 */
export function createRecordMapper(
  presetName: PresetName,
  { folder = '' }: MapperOptions = {},
): RecordMapper {
  const preset = logPresets[presetName];
  const presetOf = createPresetChoice(preset);
  let owners = new Map<string, string>();
  let lastKey: string | undefined;

  function gaugeOf(column: string, name: string, fields: Fields): ColumnUse {
    const owner = owners.get(name) ?? (name !== column && Object.hasOwn(fields, name) ? name : column);
    if (owners.size >= maxNames) owners = new Map();
    owners.set(name, owner);
    return owner === column ? { use: 'gauge', name } : { use: 'name_taken', name };
  }

  return ({ fields: written }) => {
    if (isObject(written.training_metrics))
      return {
        status: 'ok',
        document: written,
        written: {},
        columns: new Map(),
        hidesNaN: false,
        progress: undefined,
      };
    if (preset.summary !== undefined && Object.hasOwn(written, preset.summary))
      return { status: 'not_a_measurement', reason: 'summary' };
    const key = repetitionKey(preset, written);
    if (key !== undefined && key === lastKey) return { status: 'not_a_measurement', reason: 'repeated' };
    lastKey = key;
    const fields = inFolder(flattened(preset, written), folder);
    const rules = presetOf(fields);
    const candidates = candidatesOf(rules, fields);
    const columns = new Map<string, ColumnUse>();
    for (const [field, { column }] of candidates) columns.set(column, { use: 'field', field });
    const metrics: [string, unknown][] = [];
    for (const [column, value] of Object.entries(fields)) {
      if (columns.has(column)) continue;
      const use: ColumnUse = isLeftOut(rules, column, fields)
        ? { use: 'left_out' }
        : gaugeOf(column, gaugeName(rules, column, fields), fields);
      columns.set(column, use);
      if (use.use === 'gauge') metrics.push([use.name, nanFor(preset, value)]);
    }
    for (const [field, { value }] of candidates) metrics.push([field, nanFor(preset, value)]);
    if (metrics.length === 0) return { status: 'not_a_measurement', reason: 'no_values' };
    const training_metrics = Object.fromEntries(metrics);
    const hidesNaN = isHiddenNaN(training_metrics);
    if (hidesNaN) training_metrics.training_loss = 'NaN';
    const progress = progressOf(preset, written);
    return { status: 'ok', document: { training_metrics }, written: fields, columns, hidesNaN, progress };
  };
}

/**
 * Chooses the rules for each record, in the order of the records. If a run counts iterations, its validation records have
 * no column rules of their own.
 */
function createPresetChoice(preset: LogPreset): (fields: Fields) => LogPreset {
  const { validation } = preset;
  if (validation === undefined) return () => preset;
  const byIteration = { ...preset, validation: { ...validation, columns: {} } };
  let training: Fields | undefined;
  return (fields) => {
    if (Object.hasOwn(fields, validation.unless)) training = fields;
    const countsIterations =
      training !== undefined &&
      !Object.hasOwn(training, 'epoch') &&
      Number(fields.step) >= Number(training[validation.unless]);
    return countsIterations ? byIteration : preset;
  };
}

/** The snapshot of a record. Columns whose names are taken are among its skipped fields. */
export function snapshotOf({
  document,
  columns,
  progress,
}: Extract<MappedRecord, { status: 'ok' }>): SnapshotParseResult {
  const result = interpret(document);
  if (result.status !== 'ok') return result;
  const snapshot = { ...result.snapshot, ...(progress && { reportedProgress: progress }) };
  const taken = [...columns].flatMap(([field, { use }]) =>
    use === 'name_taken'
      ? [{ section: 'training_metrics', field, known: false, reason: 'name_taken' } as const]
      : [],
  );
  return { status: 'ok', snapshot: { ...snapshot, skipped: [...snapshot.skipped, ...taken] } };
}

/** Undefined if the record has neither a percentage nor a remaining time. */
function progressOf({ progress }: LogPreset, fields: Fields): ReportedProgress | undefined {
  if (progress === undefined) return undefined;
  const percent = progress.percent === undefined ? undefined : numberOf(fields[progress.percent]);
  const seconds = durationSeconds(fields[progress.remaining]);
  const share = percent !== undefined && percent >= 0 && percent <= 100 ? percent / 100 : undefined;
  if (share === undefined && seconds === undefined) return undefined;
  return { share, remainingMs: seconds === undefined ? undefined : seconds * 1000 };
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function flattened({ nested }: LogPreset, fields: Fields): Fields {
  if (nested === undefined || !isObject(fields[nested])) return fields;
  const { [nested]: measurements, ...others } = fields;
  return { ...(measurements as Fields), ...others };
}

/**
 * Keras writes `epoch_loss` into train/ and validation/, and torch's add_scalars the tag `loss` into `loss_train/`. The
 * folder tells them apart.
 */
function inFolder(fields: Fields, folder: string): Fields {
  if (folder === '') return fields;
  const nameOf = (tag: string) =>
    folder.startsWith(`${tag.replaceAll('/', '_')}_`) ? folder : `${folder}/${tag}`;
  return Object.fromEntries(
    Object.entries(fields).map(([tag, value]) => [tag === 'step' ? tag : nameOf(tag), value]),
  );
}

/** Whether a column that is not a field is not exported as a gauge either. */
function isLeftOut(preset: LogPreset, column: string, fields: Fields): boolean {
  const beside = ruleOf(preset, column, fields)?.beside;
  const isRepeated = beside !== undefined && !Object.hasOwn(fields, beside);
  return isRepeated || clockColumns.has(column) || column === preset.elapsed || column === stepOfTotalColumn;
}

function gaugeName(preset: LogPreset, column: string, fields: Fields): string {
  if (isValidationOnly(preset, column, fields)) return `val_${column}`;
  return /^[a-z][a-z0-9_]*$/.test(column) ? column : respell(column);
}

const nanFor = ({ nullIsNaN }: LogPreset, value: unknown) => (value === null && nullIsNaN ? 'NaN' : value);

/** Hugging Face's Trainer logs a loss of 0 if all losses of the interval were NaN (`logging_nan_inf_filter`). */
function isHiddenNaN({ training_loss, grad_norm, train_grad_norm }: Fields): boolean {
  return training_loss === 0 && [grad_norm, train_grad_norm].some((norm) => Number.isNaN(numberOf(norm)));
}

/** Undefined if the value is not a number. */
function numberOf(value: unknown): number | undefined {
  const reading = readNumber(value);
  return reading.status === 'skipped' ? undefined : reading.value;
}

function repetitionKey({ repeated }: LogPreset, fields: Fields): string | undefined {
  return repeated?.every((column) => Object.hasOwn(fields, column))
    ? JSON.stringify(repeated.map((column) => fields[column]))
    : undefined;
}
