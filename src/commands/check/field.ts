import {
  globalStep,
  isNumericField,
  type MetricDefinition,
  type NumericField,
  runMetrics,
  trainingMetrics,
} from '../../catalogue/metrics.ts';
import type { SkipReason } from '../../catalogue/outcomes.ts';
import { prometheusName } from '../../catalogue/prometheus-name.ts';
import { shorten } from '../../common/shorten.ts';
import type { Run } from '../../run/run.ts';
import { extraMetric, extraName } from '../../snapshot/extras.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { readNumber } from '../../snapshot/values.ts';
import {
  adviseOnIntended,
  adviseOnName,
  adviseOnNull,
  adviseOnRange,
  adviseOnTakenName,
  adviseOnType,
  intendedField,
  knownNumbers,
} from './advice.ts';
import type { ExportedMetric } from './series.ts';

/**
 * - `accepted`: its value is used.
 * - `converted`: it is a number written as text, and the number is used.
 * - `ignored`: it is not read, or it is null.
 * - `refused`: it is not used because its value or its name is invalid.
 */
export type FieldStatus = 'accepted' | 'converted' | 'ignored' | 'refused';

export interface FieldReport {
  readonly section: 'training_metrics' | 'job_metadata' | 'top level';
  readonly field: string;
  /** Its value in the file, shortened. */
  readonly written: string;
  readonly verdict: FieldStatus;
  /** Why it is not simply accepted, as a word for scripts. */
  readonly reason?: SkipReason | 'text' | 'not_finite' | 'unknown_field' | 'preset';
  /** The same for people, and how to fix it; it follows the field's name in a sentence. */
  readonly advice?: string;
  /** What it is used for if it is not a metric. */
  readonly becomes?: string;
  readonly metric?: ExportedMetric;
}

export const skippedFields = (fields: readonly FieldReport[]): readonly FieldReport[] =>
  fields.filter(({ verdict }) => verdict === 'ignored' || verdict === 'refused');

export interface MetricsContext {
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly snapshot: Snapshot;
  readonly run: Run;
  readonly exported: ReadonlyMap<string, ExportedMetric>;
  readonly maxExtraMetrics: number;
}

/** Reports on each field of `training_metrics`, in the order of the file. */
export function reportMetrics(context: MetricsContext): readonly FieldReport[] {
  return Object.keys(context.metrics).map((field) => ({
    section: 'training_metrics',
    field,
    written: writtenText(context.metrics[field]),
    ...evaluateField(field, context),
  }));
}

type Evaluation = Pick<FieldReport, 'verdict' | 'reason' | 'advice' | 'becomes' | 'metric'>;

function evaluateField(field: string, context: MetricsContext): Evaluation {
  const { snapshot } = context;
  const known = isNumericField(field);
  const preset = [...snapshot.presets].find(([, name]) => name === field)?.[0];
  if (preset !== undefined && extraName(field).status === 'refused') return evaluatePreset(preset, context);
  const skipped = snapshot.skipped.find((it) => it.section === 'training_metrics' && it.field === field);
  if (skipped !== undefined) return skippedField(field, skipped.reason, context);
  const extra = extraName(field);
  const name = known ? field : extra.status === 'ok' ? extra.name : field;
  if (!known && !context.run.extras.has(name))
    return snapshot.nonFinite.has(name) ? notFiniteYet(preset, context) : tooMany(context);
  const definition = known ? definitionOf(field) : extraMetric(name);
  const metric = definition && context.exported.get(definition.name);
  if (snapshot.nonFinite.has(name)) return notFinite(definition, metric);
  const isText = snapshot.converted.includes(field);
  const verdict: Evaluation = isText ? { verdict: 'converted', reason: 'text' } : { verdict: 'accepted' };
  const textNote = isText
    ? `is text: write ${readNumberText(context.metrics[field])} without quotes`
    : undefined;
  if (definition === undefined)
    return { ...verdict, ...adviceOf(textNote), becomes: 'used to count batch_number' };
  const note = known ? noteOnKnown(field, metric, context) : noteOnExtra(field, context.metrics, preset);
  return { ...verdict, ...adviceOf(textNote, note), ...(metric === undefined ? {} : { metric }) };
}

/** One sentence for each note there is. */
function adviceOf(...notes: readonly (string | undefined)[]): Pick<Evaluation, 'advice'> {
  const said = notes.filter((note) => note !== undefined);
  return said.length === 0 ? {} : { advice: said.join('. It ') };
}

/** A name whose only use is to stand for a field of the catalogue. */
function evaluatePreset(preset: NumericField, { exported, snapshot }: MetricsContext): Evaluation {
  const definition = definitionOf(preset);
  const metric = definition && exported.get(definition.name);
  const advice = `is read as ${preset}: write ${preset}`;
  if (snapshot.nonFinite.has(preset)) {
    const evaluation = notFinite(definition, metric);
    return { ...evaluation, advice: `${advice}. It ${evaluation.advice}` };
  }
  const usage = definition === undefined ? { becomes: 'used to count batch_number' } : metric && { metric };
  return { verdict: 'accepted', reason: 'preset', advice, ...usage };
}

function definitionOf(field: string): MetricDefinition | undefined {
  return field === globalStep.field ? undefined : trainingMetrics.find((it) => it.field === field);
}

const readNumberText = (written: unknown) => {
  const reading = readNumber(written);
  return reading.status === 'number' ? String(reading.value) : String(written);
};

function skippedField(field: string, reason: SkipReason, { metrics, snapshot }: MetricsContext): Evaluation {
  const value = metrics[field];
  const known = isNumericField(field);
  const fields = Object.keys(metrics);
  switch (reason) {
    case 'null':
      return { verdict: 'ignored', reason, advice: adviseOnNull };
    case 'wrong_type':
      return { verdict: known ? 'refused' : 'ignored', reason, advice: adviseOnType(value, known, field) };
    case 'out_of_range': {
      const reading = readNumber(value);
      const number = reading.status === 'number' ? reading.value : Number.NaN;
      return { verdict: 'refused', reason, advice: adviseOnRange(field, number) };
    }
    case 'invalid_name':
      return { verdict: 'refused', reason, advice: adviseOnName(field, fields, snapshot.presets) };
    case 'name_taken':
      return { verdict: 'refused', reason, advice: adviseOnTakenName(field, fields) };
    default:
      return { verdict: 'refused', reason };
  }
}

/** One that is read as a field of the catalogue is exported as that field. */
const notFiniteYet = (preset: NumericField | undefined, context: MetricsContext): Evaluation =>
  preset === undefined ? neverFinite : evaluatePreset(preset, context);

/** A field that was NaN from the beginning may not be a number at all. */
const neverFinite: Evaluation = {
  verdict: 'ignored',
  reason: 'not_finite',
  advice: `is not finite: exported once it has had a finite value, counted in ${prometheusName(runMetrics.nonFinite)}`,
};

function tooMany({ maxExtraMetrics }: MetricsContext): Evaluation {
  const advice =
    maxExtraMetrics === 0
      ? 'is an extra metric, and MAX_EXTRA_METRICS=0 turns these off'
      : `exceeds the limit of ${maxExtraMetrics} extra metrics: increase MAX_EXTRA_METRICS`;
  return { verdict: 'refused', reason: 'too_many', advice };
}

/** A gauge exports NaN and infinities. They would make a counter or the sum of a histogram useless for ever. */
function notFinite(definition: MetricDefinition | undefined, metric: ExportedMetric | undefined): Evaluation {
  const counted = `counted in ${prometheusName(runMetrics.nonFinite)}`;
  if (metric?.instrument === 'gauge')
    return {
      verdict: 'accepted',
      reason: 'not_finite',
      advice: `is not finite: exported as it is and ${counted}`,
      metric,
    };
  const kind = definition === undefined ? 'step' : definition.instrument;
  return {
    verdict: 'ignored',
    reason: 'not_finite',
    advice: `is not finite: not added to the ${kind}, ${counted}`,
  };
}

function noteOnKnown(
  field: NumericField,
  metric: ExportedMetric | undefined,
  { snapshot: { values }, run: { progress } }: MetricsContext,
): string | undefined {
  // An epoch that begins at 0 after another shows that the job counts from 0. In their first, many jobs write 0 before they begin.
  const isAmbiguous =
    field === 'batch_number' && values.batch_number === 0 && values.global_step === undefined;
  if (isAmbiguous && (values.epoch ?? 0) <= 1)
    return 'is taken as "no batch trained yet": if a later epoch begins at 0 too, one is added for each epoch';
  if (!isAmbiguous) return noteOnNative(metric);
  return progress.fromZero
    ? 'is the first batch of its epoch, so batches are counted from 0'
    : 'is the first batch of its epoch: a bridge that has seen an earlier epoch counts batches from 0';
}

function noteOnNative(metric: ExportedMetric | undefined): string | undefined {
  return metric?.instrument === 'histogram' && metric.series.length === 1
    ? 'is a native histogram: set scrape_native_histograms: true in Prometheus'
    : undefined;
}

function noteOnExtra(
  field: string,
  metrics: MetricsContext['metrics'],
  preset: NumericField | undefined,
): string | undefined {
  if (preset !== undefined) return `is also read as ${preset}: write ${preset}`;
  const intended = intendedField(field, knownNumbers, Object.keys(metrics));
  return intended === undefined ? undefined : adviseOnIntended(intended, metrics[field]);
}

const maxWritten = 200;

/** A value as in the file; NaN and infinities without quotes, as Python writes them. */
export function writtenText(value: unknown): string {
  if (typeof value === 'string' && /^-?(NaN|Infinity)$/.test(value)) return value;
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'undefined');
  return shorten(text, maxWritten);
}
