import { runMetrics } from '../../../src/catalogue/metrics.ts';
import { field, jobLabels, series } from '../promql.ts';
import { jobFileAge, jobState } from './job-list-panels.ts';
import { inNamespace, jobMatcher, type Panel, perJob, type Row, rangeVariable } from './panel.ts';

const small = { kind: 'stat', width: 3, height: 5 } as const;
const legend = `{{job_id}} ${inNamespace}`;

const state: Panel = {
  ...small,
  width: 4,
  title: 'State',
  description: 'State of the run. If the pods of a job differ, the most severe one.',
  states: true,
  queries: [{ legend, expr: jobState }],
};

const progress: Panel = {
  ...small,
  width: 4,
  title: 'Done',
  description: 'Share of the run that is done. Empty if the job does not write how much there is to do.',
  unit: 'percentunit',
  queries: [{ legend, expr: perJob('max', series(runMetrics.progress, jobMatcher)) }],
};

const timeLeft: Panel = {
  ...small,
  width: 4,
  title: 'Time left',
  description:
    'Estimated at the pace of the last minutes. Empty while it is unknown, and unless the run is running.',
  unit: 's',
  queries: [
    { legend, expr: perJob('max', series(runMetrics.estimatedRemaining, jobMatcher)), optional: true },
  ],
};

const trainingLoss = series(field('training_loss'), jobMatcher);

const loss: Panel = {
  ...small,
  title: 'Training loss',
  description: 'Latest training loss, the mean of the pods that report one.',
  queries: [{ legend, expr: perJob('avg', trainingLoss) }],
};

const bestLoss: Panel = {
  ...small,
  title: 'Best training loss',
  description: 'Lowest training loss in the time range of the dashboard.',
  queries: [{ legend, expr: perJob('min', `min_over_time(${trainingLoss}[${rangeVariable}])`) }],
};

const dataAge: Panel = {
  ...small,
  title: 'File age',
  description: 'Time since the metrics file was last written.',
  unit: 's',
  queries: [{ legend, expr: jobFileAge }],
};

const alerts: Panel = {
  ...small,
  title: 'Alerts',
  description: 'Alerts of these rules that are firing for the job.',
  queries: [
    {
      legend,
      expr: [
        `count by (${jobLabels}) (ALERTS{alertname=~"Ml.+", alertstate="firing", ${jobMatcher}})`,
        `or\n0 * ${perJob('max', series(runMetrics.state, jobMatcher))}`,
      ].join('\n'),
    },
  ],
};

export const glanceRow: Row = {
  title: 'At a glance',
  everyJob: false,
  panels: [state, progress, timeLeft, loss, bestLoss, dataAge, alerts],
};
