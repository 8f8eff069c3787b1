import { runMetrics } from '../../../src/catalogue/metrics.ts';
import { field, jobLabel, jobLabels, namespaceLabel, series } from '../promql.ts';
import { jobMatcher, type Panel, perJob, type Row, rangeVariable, stepVariable } from './panel.ts';

/** Names the curve of a job: its id, and its namespace if there is one. */
export const curveLabel = 'curve';
export const elapsedLegend = 'Time since start';
export const valueLegend = 'Value';
/** Of the queries. More than the panel has pixels, because a run takes only a part of the time range. */
export const maxSteps = 5_000;

/** Unix time of the first step within the time range of the dashboard. The same at each point of a curve. */
const firstStep = perJob(
  'min',
  `min_over_time(${series(runMetrics.lastStepTime, jobMatcher)}[${rangeVariable}] @ end())`,
);

const named = (expr: string) =>
  `label_join(${expr}, "${curveLabel}", " ", "${jobLabel}", "${namespaceLabel}")`;

/**
 * The values of each job, and at the same times how long the job has been training. Each value is taken once, from the step
 * of the query in which it was written, because Prometheus' own limit of 5 minutes is shorter than a step of a range of
 * weeks.
 */
function sinceStart(title: string, description: string, { aggregate, metric, unit }: Curve): Panel {
  const values = perJob(aggregate, `last_over_time(${series(field(metric), jobMatcher)}[${stepVariable}])`);
  return {
    kind: 'since start',
    title,
    description: `${description} ${range}`,
    width: 12,
    height: 9,
    ...(unit !== undefined && { unit }),
    queries: [
      { legend: elapsedLegend, expr: named(`(time() - ${firstStep})\nand on (${jobLabels}) ${values}`) },
      { legend: valueLegend, expr: named(values) },
    ],
  };
}

interface Curve {
  readonly aggregate: 'avg' | 'max';
  readonly metric: Parameters<typeof field>[0];
  readonly unit?: string;
}

const range =
  'Runs of different days lie over each other. Choose a time range that has all of them: a curve starts at the first step in it.';

export const sinceStartRow: Row = {
  title: 'Selected jobs by time since start',
  everyJob: false,
  collapsed: true,
  panels: [
    sinceStart('Training loss since start', 'Loss on the training batches.', {
      aggregate: 'avg',
      metric: 'training_loss',
    }),
    sinceStart('Validation loss since start', 'Loss on the validation set.', {
      aggregate: 'avg',
      metric: 'validation_loss',
    }),
    sinceStart('Accuracy since start', 'Accuracy as the job reports it.', {
      aggregate: 'avg',
      metric: 'accuracy',
      unit: 'percentunit',
    }),
    sinceStart('Batches since start', 'Batches trained. The steeper curve is the faster job.', {
      aggregate: 'max',
      metric: 'batch_number',
      unit: 'none',
    }),
  ],
};
