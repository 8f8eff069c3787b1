import {
  bridgeMetrics,
  extraMetricPrefix,
  globalStep,
  type MetricDefinition,
  runMetrics,
  trainingMetrics,
} from '../catalogue/metrics.ts';
import { prometheusName, prometheusSeriesNames } from '../catalogue/prometheus-name.ts';

export type ExtraName =
  | { readonly status: 'ok'; readonly name: string; readonly prometheus: string }
  | { readonly status: 'refused'; readonly reason: 'invalid_name' }
  /** `by` is the metric that has the name already. */
  | { readonly status: 'refused'; readonly reason: 'name_taken'; readonly by: MetricDefinition };

const namePattern = /^[a-z][a-z0-9_]{0,63}$/;

const known: readonly MetricDefinition[] = [
  ...trainingMetrics,
  ...Object.values(runMetrics),
  ...Object.values(bridgeMetrics),
];

/**
 * Names no further metric may have, and whose they are. Compared as Prometheus writes them, suffixes included, because
 * two metrics that come out alike there replace each other without a word.
 */
const taken: ReadonlyMap<string, MetricDefinition> = new Map(
  known.flatMap((metric) =>
    [
      ...prometheusSeriesNames(metric),
      prometheusName(metric),
      prometheusName({ name: metric.name, unit: '', instrument: 'gauge' }),
    ].map((name) => [name, metric]),
  ),
);

/** What the catalogue makes of a field, which spelled otherwise is no other. */
function metricOf(name: string): MetricDefinition | undefined {
  const field = name === globalStep.field ? 'batch_number' : name;
  return trainingMetrics.find((metric) => metric.field === field);
}

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
  const by = taken.get(prometheus) ?? metricOf(name);
  if (by !== undefined) return { status: 'refused', reason: 'name_taken', by };
  return { status: 'ok', name, prometheus };
}
