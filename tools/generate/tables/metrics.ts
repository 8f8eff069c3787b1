import {
  bridgeMetrics,
  explained,
  extraMetricPrefix,
  type FieldDefinition,
  globalStep,
  type MetricDefinition,
  runAttributes,
  runMetrics,
  trainingMetrics,
} from '../../../src/catalogue/metrics.ts';
import { prometheusName } from '../../../src/catalogue/prometheus-name.ts';
import { code, codes, markdownTable, prose } from '../markdown.ts';

const metricHeader = ['OpenTelemetry name', 'Instrument', 'Unit', 'Prometheus name', 'Description'];

/** Every metric there is, as Markdown: those of the training, of the run, and of the bridge itself. */
export function metricsTable(): string {
  const { rank, ...always } = runAttributes;
  return [
    `The training's own, each from a field of \`training_metrics\`. Attributes: ${codes(Object.values(always))}, and ${code(rank)} where the job has ranks.`,
    markdownTable(['Field', ...metricHeader], [...trainingMetrics.map(fieldRow), extraRow]),
    `Beside them ${code(globalStep.field)} is read: ${prose(lowerFirst(globalStep.description))}. Where it is there, ${code('batch_number')} counts by it.`,
    "What is known of the run, with the run's attributes and the one named.",
    ownAttributesTable(Object.values(runMetrics)),
    "The bridge's own health, without the run's attributes.",
    ownAttributesTable(Object.values(bridgeMetrics)),
  ].join('\n\n');
}

const fieldRow = (metric: FieldDefinition) => [code(metric.field), ...metricCells(metric)];

const extraRow = [
  'any other number',
  code(`${extraMetricPrefix}<field>`),
  'gauge',
  '–',
  code(`${prometheusName({ name: extraMetricPrefix, unit: '', instrument: 'gauge' })}_<field>`),
  `The field's value; at most ${code('MAX_EXTRA_METRICS')} of them`,
];

function ownAttributesTable(metrics: readonly MetricDefinition[]): string {
  const rows = metrics.map((metric) => [...metricCells(metric), codes(metric.attributes ?? [])]);
  return markdownTable([...metricHeader, 'Attributes'], rows);
}

function metricCells(metric: MetricDefinition): string[] {
  const name = prometheusName(metric);
  const { instrument, unit } = metric;
  const prometheus = instrument === 'histogram' ? `${name}_{bucket,sum,count}` : name;
  return [code(metric.name), instrument, code(unit), code(prometheus), prose(explained(metric))];
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
