import {
  bridgeMetrics,
  extraMetricPrefix,
  type MetricDefinition,
  runMetrics,
  trainingMetrics,
} from '../catalogue.ts';
import { prometheusName, prometheusSeriesNames } from '../prometheus-name.ts';

export type ExtraName =
  | { readonly status: 'ok'; readonly name: string; readonly prometheus: string }
  | { readonly status: 'refused'; readonly reason: 'invalid_name' | 'name_taken' };

const namePattern = /^[a-z][a-z0-9_]{0,63}$/;

const known: readonly MetricDefinition[] = [
  ...trainingMetrics,
  ...Object.values(runMetrics),
  ...Object.values(bridgeMetrics),
];

/**
 * Names no further metric may have. Compared as Prometheus writes them, suffixes included, because two metrics that
 * come out alike there replace each other without a word.
 */
const taken: ReadonlySet<string> = new Set(
  known.flatMap((metric) => [
    ...prometheusSeriesNames(metric),
    prometheusName(metric),
    prometheusName({ name: metric.name, unit: '', instrument: 'gauge' }),
  ]),
);

/** The definition of the gauge that a field beyond the catalogue becomes. */
export function extraMetric(name: string): MetricDefinition {
  return {
    name: `${extraMetricPrefix}${name}`,
    instrument: 'gauge',
    unit: '',
    description: `Field ${name} of the metrics file`,
  };
}

/** Whether a field beyond the catalogue can be a metric, and under which name. */
export function extraName(field: string): ExtraName {
  const name = field.toLowerCase();
  if (!namePattern.test(name)) return { status: 'refused', reason: 'invalid_name' };
  const prometheus = prometheusName(extraMetric(name));
  if (taken.has(prometheus)) return { status: 'refused', reason: 'name_taken' };
  return { status: 'ok', name, prometheus };
}
