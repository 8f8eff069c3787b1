import {
  bridgeMetrics,
  extraMetricPrefix,
  type FieldDefinition,
  fullDescription,
  globalStep,
  type MetricDefinition,
  runAttributes,
  runMetrics,
  trainingMetrics,
} from '../../../src/catalogue/metrics.ts';
import { dropReasons, pollOutcomes, sendOutcomes, skipReasons } from '../../../src/catalogue/outcomes.ts';
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
    'Values of their attributes:',
    labelValuesTable(),
  ].join('\n\n');
}

const labelTables = [
  [bridgeMetrics.snapshots, 'outcome', pollOutcomes],
  [bridgeMetrics.fieldsSkipped, 'reason', skipReasons],
  [bridgeMetrics.exports, 'outcome', sendOutcomes],
  [bridgeMetrics.dropped, 'reason', dropReasons],
] as const;

/** Each value that `outcome` and `reason` can have, by metric. */
function labelValuesTable(): string {
  const rows = labelTables.flatMap(([{ name }, attribute, values]) =>
    Object.entries(values).map(([value, { description }]) => [
      code(`${name}{${attribute}}`),
      code(value),
      description,
    ]),
  );
  return markdownTable(['Metric and attribute', 'Value', 'Description'], rows);
}

/** Why snapshots were dropped, for the page about the alert. */
export function dropReasonsTable(): string {
  const rows = Object.entries(dropReasons).map(([reason, { description }]) => [code(reason), description]);
  return markdownTable(['Reason', 'Description'], rows);
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
  return [code(metric.name), instrument, code(unit), code(prometheus), prose(fullDescription(metric))];
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1);
