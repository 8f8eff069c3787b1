import {
  extraMetricPrefix,
  type MetricDefinition,
  runMetrics,
  type TrainingField,
} from '../../../src/catalogue/metrics.ts';
import { prometheusName } from '../../../src/catalogue/prometheus-name.ts';
import { goodput } from '../alerts/recording-rules.ts';
import { catalogueNames, field, histogramMean, histogramQuantile, jobLabels, series } from '../promql.ts';
import { glanceRow } from './glance-panels.ts';
import { jobFileAge, jobStaleAfter, jobState, jobStepAge } from './job-list-panels.ts';
import { jobMatcher, type Panel, perJob, type Query, type Row, window } from './panel.ts';
import { rankPanels } from './rank-panels.ts';

const jobSeries = (name: TrainingField) => series(field(name), jobMatcher);

const half = { kind: 'curves', width: 12, height: 9 } as const;
const third = { kind: 'curves', width: 8, height: 8 } as const;

const loss: Panel = {
  ...half,
  title: 'Loss',
  description:
    'Loss on the training batches and on the validation set. A gap while the run continues is NaN.',
  queries: [
    { legend: 'training', expr: perJob('avg', jobSeries('training_loss')) },
    { legend: 'validation', expr: perJob('avg', jobSeries('validation_loss')) },
  ],
};

const accuracy: Panel = {
  ...half,
  width: 6,
  title: 'Accuracy',
  description: 'Accuracy as the job reports it.',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [{ legend: 'accuracy', expr: perJob('avg', jobSeries('accuracy')) }],
};

const learningRate: Panel = {
  ...half,
  width: 6,
  title: 'Learning rate',
  description: 'Learning rate in use.',
  unit: 'sci',
  min: 0,
  queries: [{ legend: 'learning rate', expr: perJob('max', jobSeries('learning_rate')) }],
};

function distribution(metric: MetricDefinition, quantiles: readonly number[]): readonly Query[] {
  const query = { metric, by: jobLabels, window, matchers: [jobMatcher] };
  return [
    ...quantiles.map((it) => ({ legend: `p${it * 100}`, expr: histogramQuantile(it, query) })),
    { legend: 'mean', expr: histogramMean(query) },
  ];
}

const throughput: Panel = {
  ...third,
  title: 'Throughput',
  description:
    'Samples per second of one pod, over the chosen window. Slow batches are in p5. Quantiles of classic buckets are estimates within a 1-2-5 step; the mean is exact.',
  unit: 'suffix: samples/s',
  min: 0,
  queries: distribution(field('samples_per_second'), [0.05, 0.5]),
};

const stepTime: Panel = {
  ...third,
  title: 'Step time',
  description:
    'Time to train one batch, over the chosen window. Quantiles of classic buckets are estimates within a 1-2-5 step; the mean is exact.',
  unit: 'ms',
  min: 0,
  queries: distribution(field('processing_time_ms'), [0.5, 0.95, 0.99]),
};

const gpu: Panel = {
  ...third,
  title: 'GPU utilization',
  description: 'Mean and lowest over the pods that report it.',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [
    { legend: 'mean', expr: perJob('avg', jobSeries('gpu_utilization')) },
    { legend: 'lowest', expr: perJob('min', jobSeries('gpu_utilization')) },
  ],
};

const epoch = perJob('max', jobSeries('epoch'));
const totalEpochs = perJob('max', jobSeries('total_epochs'));

const progress: Panel = {
  kind: 'gauge',
  width: 3,
  height: 7,
  title: 'Progress',
  description: 'Share of the run that is done. Empty if the job does not write how much there is to do.',
  unit: 'percentunit',
  min: 0,
  max: 1,
  queries: [{ legend: 'progress', expr: perJob('max', series(runMetrics.progress, jobMatcher)) }],
};

const batches: Panel = {
  ...third,
  width: 5,
  height: 7,
  title: 'Batches',
  description: 'Batches trained, and the total number if the job writes it.',
  unit: 'none',
  min: 0,
  queries: [
    { legend: 'trained', expr: perJob('max', jobSeries('batch_number')) },
    {
      legend: 'in all',
      expr: `${perJob('max', jobSeries('total_steps'))}\nor\n${totalEpochs} * ${perJob('max', jobSeries('batches_per_epoch'))}`,
    },
  ],
};

const epochs: Panel = {
  ...third,
  width: 5,
  height: 7,
  title: 'Epochs',
  description: 'Epoch reached, and the total number if the job writes it.',
  unit: 'none',
  min: 0,
  queries: [
    { legend: 'reached', expr: epoch },
    { legend: 'in all', expr: totalEpochs },
  ],
};

const ages: Panel = {
  ...third,
  width: 6,
  height: 7,
  title: 'Data age',
  description:
    'Time since the file was last written, and since the step last advanced. A job that writes without advancing hangs. A file older than the line is stale: its values are no longer exported.',
  unit: 's',
  min: 0,
  queries: [
    { legend: 'file written', expr: jobFileAge },
    { legend: 'step advanced', expr: jobStepAge },
    { legend: 'file is stale', expr: jobStaleAfter },
  ],
};

const state: Panel = {
  kind: 'states',
  width: 5,
  height: 7,
  title: 'Run state',
  description: 'State of the run. If its pods differ, the most severe one.',
  queries: [{ legend: 'state', expr: jobState }],
};

const nonFinite: Panel = {
  ...half,
  height: 7,
  title: 'NaN and infinite values',
  description: 'Values that were NaN or infinite in this run so far, by field. Normally empty.',
  unit: 'none',
  min: 0,
  queries: [
    {
      legend: '{{field}}',
      expr: `sum by (${jobLabels}, field) (${series(runMetrics.nonFinite, jobMatcher)})`,
      optional: true,
    },
  ],
};

const efficiency: Panel = {
  ...half,
  width: 6,
  height: 7,
  title: 'Goodput and MFU',
  description:
    'Goodput: share of the last hour that training at the best pace of the last day would have needed. MFU: model FLOPs utilization, if the job writes it.',
  unit: 'percentunit',
  min: 0,
  queries: [
    { legend: 'goodput', expr: perJob('max', `${goodput.record}{${jobMatcher}}`), optional: true },
    { legend: 'MFU', expr: perJob('avg', jobSeries('mfu')), optional: true },
  ],
};

const tokens: Panel = {
  ...half,
  width: 6,
  height: 7,
  title: 'Tokens',
  description: 'Tokens per second, summed over the pods, if the job writes them.',
  unit: 'suffix: tokens/s',
  min: 0,
  queries: [{ legend: 'tokens', expr: perJob('sum', jobSeries('tokens_per_second')), optional: true }],
};

const panels = [
  ...[loss, accuracy, learningRate],
  ...[throughput, stepTime, gpu],
  ...[progress, epochs, batches, ages, state],
  ...rankPanels,
  ...[efficiency, tokens, nonFinite],
];

const prefix = prometheusName({ name: extraMetricPrefix, unit: '', instrument: 'gauge' });
const drawnNames = new Set(
  [...glanceRow.panels, ...panels].flatMap((panel) =>
    panel.queries.flatMap(({ expr }) => expr.match(/\w+/g) ?? []),
  ),
);
/** Metrics that have a panel. A row of the catalogue that has none is drawn with the job's own fields. */
const drawn = catalogueNames.filter((name) => name.startsWith(`${prefix}_`) && drawnNames.has(name));

const extras: Panel = {
  ...half,
  width: 24,
  height: 7,
  title: 'Further metrics',
  description: 'Additional fields of the job, and metrics without their own panel.',
  queries: [
    {
      legend: '{{__name__}}',
      expr: `avg by (${jobLabels}, __name__) ({__name__=~"${prefix}_.+", __name__!~"(${drawn.join('|')})(_bucket|_sum|_count)?", ${jobMatcher}})`,
      optional: true,
    },
  ],
};

export const jobRow: Row = {
  title: '$job',
  everyJob: true,
  panels: [...panels, extras],
};
