import { bridgeMetrics, type RunState, runMetrics } from '../../../src/catalogue/metrics.ts';
import {
  field,
  histogramMean,
  jobLabels,
  recentlyIncreased,
  runLabels,
  secondsSince,
  series,
  whileInState,
  withJobInState,
} from '../promql.ts';
import { type Alert, aggregated, indented, job, jobWithNamespace } from './alert.ts';

/** There are no alerts about a run that is over, or a rank that only waits. */
export const activeStates: readonly RunState[] = ['running', 'stalled'];

const stalled: Alert = {
  name: 'MlTrainingStalled',
  severity: 'critical',
  // Without `for`, because the bridge has already waited for STALL_AFTER.
  expr: aggregated('max', jobLabels, whileInState(secondsSince(runMetrics.lastStepTime), 'stalled')),
  summary: `Training job ${jobWithNamespace} makes no progress`,
  description: `No step of ${job} for {{ $value | humanizeDuration }}, and the run has not ended.`,
  watches: [series(runMetrics.lastStepTime), series(runMetrics.state, 'state="stalled"')],
};

const lossFields = ['training_loss', 'validation_loss'] as const;
const nonFiniteLoss = series(runMetrics.nonFinite, `field=~"${lossFields.join('|')}"`);

const lossNotFinite: Alert = {
  name: 'MlTrainingLossNotFinite',
  severity: 'critical',
  expr: aggregated(
    'max',
    `${jobLabels}, field`,
    whileInState(recentlyIncreased(nonFiniteLoss, '15m'), ...activeStates),
  ),
  summary: `Loss of training job ${jobWithNamespace} is NaN or infinite`,
  description: `{{ $labels.field }} of ${job} was NaN or infinite {{ $value }} times in this run, the last time within 15 minutes.`,
  watches: lossFields.map((name) => series(field(name))),
};

const batches = series(field('batch_number'));
const epochs = series(field('epoch'));

/** If a run began within the window, earlier values belong to another run and cannot be compared. */
function withoutRestart(expr: string, window: string): string {
  const restarted = `(resets(${batches}[${window}]) > 0 or resets(${epochs}[${window}]) > 0)`;
  return `${expr}\nunless on (${runLabels}) ${restarted}`;
}

const recentLoss = `avg_over_time(${series(field('training_loss'))}[10m])`;
const bestLoss = `min_over_time(${recentLoss}[1h:1m])`;

const lossDiverging: Alert = {
  name: 'MlTrainingLossDiverging',
  severity: 'warning',
  for: '10m',
  expr: aggregated(
    'max',
    jobLabels,
    withoutRestart(
      // Twice the best loss; abs() for losses that can be negative.
      whileInState(`(${recentLoss} > ${bestLoss} + abs(${bestLoss}))`, 'running'),
      '70m',
    ),
  ),
  summary: `Training loss of ${jobWithNamespace} rises`,
  description: `The training loss of ${job} is {{ $value | humanize }} over the last 10 minutes, more than twice its best of the last hour.`,
  watches: [recentLoss, bestLoss],
};

const throughput = (window: string, offset?: string) =>
  histogramMean({
    metric: field('samples_per_second'),
    by: runLabels,
    window,
    ...(offset === undefined ? {} : { offset }),
  });

const throughputCollapsed: Alert = {
  name: 'MlTrainingThroughputCollapsed',
  severity: 'warning',
  for: '5m',
  expr: aggregated(
    'min',
    jobLabels,
    withoutRestart(
      whileInState(
        `(\n${indented(`(${throughput('10m')})\n< 0.5 * (${throughput('1h', '10m')})`)}\n)`,
        'running',
      ),
      '70m',
    ),
  ),
  summary: `Training job ${jobWithNamespace} is at less than half its speed`,
  description: `Throughput of ${job} is {{ $value | humanize }} samples/s over the last 10 minutes, less than half of what it was in the hour before.`,
  watches: [throughput('10m')],
};

const staleAge = `(${series(bridgeMetrics.fileAge)} > ${series(bridgeMetrics.fileStaleAfter)})`;

const fileStale: Alert = {
  name: 'MlMetricsFileStale',
  severity: 'warning',
  for: '1m',
  // A stalled run has its own alert.
  expr: aggregated('max', jobLabels, withJobInState(staleAge, ['running'])),
  summary: `Metrics file of training job ${jobWithNamespace} is not written`,
  description: `The metrics file of ${job} was last written {{ $value | humanizeDuration }} ago, and the run has not ended. Its values are no longer exported once it is stale.`,
  watches: [withJobInState(series(bridgeMetrics.fileAge), ['running'])],
};

export const runAlerts: readonly Alert[] = [
  stalled,
  lossNotFinite,
  lossDiverging,
  throughputCollapsed,
  fileStale,
];
