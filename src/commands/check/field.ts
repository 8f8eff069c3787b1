import {
  globalStep,
  isNumericField,
  type MetricDefinition,
  runMetrics,
  trainingMetrics,
} from '../../catalogue/metrics.ts';
import type { SkipReason } from '../../catalogue/outcomes.ts';
import { prometheusName } from '../../catalogue/prometheus-name.ts';
import type { Run } from '../../run/run.ts';
import { extraMetric, extraName } from '../../snapshot/extras.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { readNumber } from '../../snapshot/values.ts';
import {
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
 * - `accepted`: it is read as it stands.
 * - `converted`: it is text that is a number, and is read as that number.
 * - `ignored`: it is not looked at, or says nothing.
 * - `refused`: it would be read, but for its value or its name.
 */
export type FieldStatus = 'accepted' | 'converted' | 'ignored' | 'refused';

export interface FieldReport {
  readonly section: 'training_metrics' | 'job_metadata' | 'top level';
  readonly field: string;
  /** As it stands in the file, shortened. */
  readonly written: string;
  readonly verdict: FieldStatus;
  /** A word for scripts where it is not accepted as it stands. */
  readonly reason?: SkipReason | 'text' | 'not_finite' | 'unknown_field';
  /** What is to be known or done about it, as what follows the field's name. */
  readonly advice?: string;
  /** What comes of it where that is no metric of its own. */
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

/** What becomes of each field of `training_metrics`, in the file's order. */
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
  const skipped = snapshot.skipped.find((it) => it.section === 'training_metrics' && it.field === field);
  if (skipped !== undefined) return skippedField(field, skipped.reason, context);
  const extra = extraName(field);
  const name = known ? field : extra.status === 'ok' ? extra.name : field;
  if (!known && !context.run.extras.has(name)) return tooMany(context);
  const definition = known ? definitionOf(field) : extraMetric(name);
  const metric = definition && context.exported.get(definition.name);
  if (snapshot.nonFinite.has(name)) return notFinite(definition, metric);
  const evaluation: Evaluation = snapshot.converted.includes(field)
    ? {
        verdict: 'converted',
        reason: 'text',
        advice: `is text: write ${readNumberText(context.metrics[field])} without quotes`,
      }
    : { verdict: 'accepted' };
  if (definition === undefined) return { ...evaluation, becomes: 'what batch_number counts by' };
  const note = known ? noteOnNative(metric) : noteOnExtra(field, context.metrics);
  return {
    ...evaluation,
    ...(note === undefined || evaluation.advice !== undefined ? {} : { advice: note }),
    ...(metric === undefined ? {} : { metric }),
  };
}

function definitionOf(field: string): MetricDefinition | undefined {
  return field === globalStep.field ? undefined : trainingMetrics.find((it) => it.field === field);
}

const readNumberText = (written: unknown) => {
  const reading = readNumber(written);
  return reading.status === 'number' ? String(reading.value) : String(written);
};

function skippedField(field: string, reason: SkipReason, { metrics }: MetricsContext): Evaluation {
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
      return { verdict: 'refused', reason, advice: adviseOnName(field, fields) };
    case 'name_taken':
      return { verdict: 'refused', reason, advice: adviseOnTakenName(field, fields) };
    default:
      return { verdict: 'refused', reason };
  }
}

function tooMany({ maxExtraMetrics }: MetricsContext): Evaluation {
  const advice =
    maxExtraMetrics === 0
      ? 'is a metric of your own, and MAX_EXTRA_METRICS=0 turns these off'
      : `is one metric too many of your own: raise MAX_EXTRA_METRICS, which is ${maxExtraMetrics}`;
  return { verdict: 'refused', reason: 'too_many', advice };
}

/** NaN and the infinities are news for a gauge; a counter or a histogram would be poisoned by them. */
function notFinite(definition: MetricDefinition | undefined, metric: ExportedMetric | undefined): Evaluation {
  const counted = `counted in ${prometheusName(runMetrics.nonFinite)}`;
  if (metric?.instrument === 'gauge')
    return {
      verdict: 'accepted',
      reason: 'not_finite',
      advice: `is exported as it is, and ${counted}`,
      metric,
    };
  const kind = definition === undefined ? 'step' : definition.instrument;
  return {
    verdict: 'ignored',
    reason: 'not_finite',
    advice: `is not finite and changes no ${kind}; ${counted}`,
  };
}

function noteOnNative(metric: ExportedMetric | undefined): string | undefined {
  return metric?.instrument === 'histogram' && metric.series.length === 1
    ? 'is a native histogram: Prometheus takes it with scrape_native_histograms: true'
    : undefined;
}

function noteOnExtra(field: string, metrics: MetricsContext['metrics']): string | undefined {
  const meant = intendedField(field, knownNumbers, Object.keys(metrics));
  return meant === undefined ? undefined : `is a metric of its own: write ${meant} if that is meant`;
}

const maxWritten = 200;

/** A value as the file has it; NaN and the infinities are bare, as Python writes them. */
export function writtenText(value: unknown): string {
  if (typeof value === 'string' && /^-?(NaN|Infinity)$/.test(value)) return value;
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? 'nothing');
  return text.length > maxWritten ? `${text.slice(0, maxWritten)}…`.toWellFormed() : text;
}
