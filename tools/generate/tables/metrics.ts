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

/** Every metric, as Markdown: from fields of the file, of the run, and of the bridge itself. */
export function metricsTable(): string {
  const { rank, namespace, ...always } = runAttributes;
  return [
    `Metrics of the training, each from a field of \`training_metrics\`. Attributes: ${codes(Object.values(always))}, ${code(rank)} if the job has ranks, and ${code(namespace)} if the resource has it.`,
    markdownTable(['Field', ...metricHeader], [...trainingMetrics.map(fieldRow), extraRow]),
    `The field ${code(globalStep.field)} has no metric: ${prose(lowerFirst(globalStep.description))}. If it is present, it replaces ${code('batch_number')} as the value of ${code('ml.training.batch_number')}.`,
    'State of the run. These metrics have the attributes of the run, and the one in the last column.',
    ownAttributesTable(Object.values(runMetrics)),
    'Metrics about the bridge itself. They do not have the attributes of the run, except the namespace.',
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

/** The values of the attributes `outcome` and `reason`, by metric. */
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

/** The reasons for dropped snapshots, for the runbook. */
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
  `Value of the field; at most ${code('MAX_EXTRA_METRICS')} of these metrics`,
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
