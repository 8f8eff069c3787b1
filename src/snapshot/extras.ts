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
  /** `by` is the metric that already has the name. */
  | { readonly status: 'refused'; readonly reason: 'name_taken'; readonly by: MetricDefinition };

const namePattern = /^[a-z][a-z0-9_]{0,63}$/;

const catalogueMetrics: readonly MetricDefinition[] = [
  ...trainingMetrics,
  ...Object.values(runMetrics),
  ...Object.values(bridgeMetrics),
];

/**
 * Prometheus names that an extra metric must not have, with the metric that has each. Suffixes are included: if two
 * metrics have the same Prometheus name, one silently replaces the other.
 */
const reservedNames: ReadonlyMap<string, MetricDefinition> = new Map(
  catalogueMetrics
    .filter(({ yields }) => !yields)
    .flatMap((metric) => prometheusNames(metric).map((name) => [name, metric])),
);

function prometheusNames(metric: MetricDefinition): readonly string[] {
  return [
    ...prometheusSeriesNames(metric),
    prometheusName(metric),
    prometheusName({ name: metric.name, unit: '', instrument: 'gauge' }),
  ];
}

/** Whether the metric is not computed because the file has a field of its name. */
export const yieldsTo = (metric: MetricDefinition, extra: string): boolean =>
  metric.yields === true && prometheusNames(metric).includes(prometheusName(extraMetric(extra)));

/** The catalogue's metric of a field: `Training_Loss` is not an extra metric beside `training_loss`. */
function metricOfField(name: string): MetricDefinition | undefined {
  const field = name === globalStep.field ? 'batch_number' : name;
  return trainingMetrics.find((metric) => metric.field === field);
}

/** The gauge that a field outside the catalogue becomes. */
export function extraMetric(name: string): MetricDefinition {
  return {
    name: `${extraMetricPrefix}${name}`,
    instrument: 'gauge',
    unit: '',
    description: `Field ${name} of the metrics file`,
  };
}

/** Whether a field outside the catalogue can be a metric, and under which name. */
export function extraName(field: string): ExtraName {
  const name = field.toLowerCase();
  if (!namePattern.test(name)) return { status: 'refused', reason: 'invalid_name' };
  const prometheus = prometheusName(extraMetric(name));
  const by = reservedNames.get(prometheus) ?? metricOfField(name);
  if (by !== undefined) return { status: 'refused', reason: 'name_taken', by };
  return { status: 'ok', name, prometheus };
}
