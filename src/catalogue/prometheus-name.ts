import type { MetricDefinition } from './metrics.ts';

/** Units the Collector spells out in a metric's name; annotations such as `{batch}` add nothing. */
const unitNames: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', '1': 'ratio' };

/**
 * The name of a metric as the Collector's Prometheus exporter writes it, without a histogram's `_bucket`, `_sum` and
 * `_count`. Each sequence of other characters becomes one underscore, so `a.b`, `a_b` and `a__b_` have the same name.
 *
 * Source: OpenTelemetry specification, "Prometheus and OpenMetrics compatibility", metric metadata.
 */
export function prometheusName(metric: Pick<MetricDefinition, 'name' | 'unit' | 'instrument'>): string {
  const tokens = metric.name.split(/[^a-zA-Z0-9]+/).filter((token) => token !== '');
  const unit = unitNames[metric.unit];
  if (unit !== undefined && !tokens.includes(unit)) tokens.push(unit);
  if (metric.instrument !== 'counter') return tokens.join('_');
  return [...tokens.filter((token) => token !== 'total'), 'total'].join('_');
}

/** Every Prometheus series name of a metric: one, or the three of a histogram. */
export function prometheusSeriesNames(
  metric: Pick<MetricDefinition, 'name' | 'unit' | 'instrument'>,
): readonly string[] {
  const name = prometheusName(metric);
  return metric.instrument === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
}

/**
 * The Prometheus label of an attribute key. Source: OpenTelemetry specification, "Prometheus and OpenMetrics
 * compatibility", metric attributes.
 */
export const labelName = (key: string): string => key.replaceAll(/[^a-zA-Z0-9_]/g, '_');

/** Labels as PromQL writes them; empty for none. */
export function formatLabels(attributes: Readonly<Record<string, string | number | boolean>>): string {
  const labels = Object.entries(attributes).map(
    ([key, value]) => `${labelName(key)}=${quoted(String(value))}`,
  );
  return labels.length === 0 ? '' : `{${labels.join(', ')}}`;
}

// Control characters are escaped too, because with them the name of a job could control the terminal.
const quoted = (value: string) => JSON.stringify(value).replaceAll(/[\u007f-\u009f]/g, '?');
