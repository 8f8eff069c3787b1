import { bridgeMetrics, runMetrics, runStates } from '../../../src/catalogue/metrics.ts';
import { field, inStates, secondsSince, series, withJob } from '../promql.ts';
import {
  inNamespace,
  jobMatcher,
  labelMissingJob,
  type Panel,
  perJob,
  type Row,
  stateNumbers,
} from './panel.ts';

const jobSeries = (name: Parameters<typeof field>[0]) => series(field(name), jobMatcher);

/** Each state is exported as 0 or 1, so the number of the current state is the highest product. */
export const jobState = labelMissingJob(
  perJob(
    'max',
    runStates
      .filter((state) => stateNumbers[state].number > 0)
      .map(
        (state) => `${series(runMetrics.state, jobMatcher, inStates(state))} * ${stateNumbers[state].number}`,
      )
      .join(' or '),
  ),
);

export const jobFileAge = perJob('max', withJob(series(bridgeMetrics.fileAge), jobMatcher));
/** The lowest of the job's bridges: the first of them at which values end. */
export const jobStaleAfter = perJob('min', withJob(series(bridgeMetrics.fileStaleAfter), jobMatcher));
export const jobStepAge = perJob('min', secondsSince(runMetrics.lastStepTime, jobMatcher));

const jobs: Panel = {
  kind: 'table',
  title: 'Jobs',
  description:
    'One line for each job, over all its pods. Losses and accuracy are the mean of the pods that report them. A job whose file has gone stale has no values, only its age.',
  width: 24,
  height: 8,
  queries: [
    { legend: 'State', expr: jobState },
    { legend: 'Epoch', expr: perJob('max', jobSeries('epoch')), unit: 'none' },
    { legend: 'Of epochs', expr: perJob('max', jobSeries('total_epochs')), unit: 'none' },
    { legend: 'Batches', expr: perJob('max', jobSeries('batch_number')), unit: 'none' },
    { legend: 'Training loss', expr: perJob('avg', jobSeries('training_loss')), unit: 'none' },
    { legend: 'Validation loss', expr: perJob('avg', jobSeries('validation_loss')), unit: 'none' },
    { legend: 'Accuracy', expr: perJob('avg', jobSeries('accuracy')), unit: 'percentunit' },
    { legend: 'GPU', expr: perJob('avg', jobSeries('gpu_utilization')), unit: 'percentunit' },
    { legend: 'File age', expr: jobFileAge, unit: 's' },
    { legend: 'Since last step', expr: jobStepAge, unit: 's' },
  ],
};

const states: Panel = {
  kind: 'states',
  title: 'Run state',
  description:
    'State of each run. If the pods of a job differ, the most severe one: failed, stalled, running, completed, ended, waiting.',
  width: 24,
  height: 6,
  queries: [{ legend: `{{job_id}} ${inNamespace}`, expr: jobState }],
};

export const jobsRow: Row = { title: 'All selected jobs', everyJob: false, panels: [jobs, states] };
