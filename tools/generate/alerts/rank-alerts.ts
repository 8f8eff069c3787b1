import { runAttributes, runMetrics } from '../../../src/catalogue/metrics.ts';
import { inStates, jobLabels, rankLabels, series } from '../promql.ts';
import { type Alert, aggregated, indented, job, jobWithNamespace } from './alert.ts';
import { medianStepDuration, rankStepDuration } from './recording-rules.ts';
import { activeStates } from './run-alerts.ts';

const rank = `{{ $labels.${runAttributes.rank} }}`;

/** Ranks that compute the same number of samples on the same hardware differ by a few per cent. */
const slowerThanMedian = 1.25;

const straggler: Alert = {
  name: 'MlTrainingStraggler',
  severity: 'warning',
  for: '1m',
  expr: aggregated(
    'max',
    rankLabels,
    [
      rankStepDuration.record,
      `/ on (${jobLabels}) group_left () (${medianStepDuration.record} > 0)`,
      `> ${slowerThanMedian}`,
    ].join('\n'),
  ),
  summary: `Rank ${rank} of training job ${jobWithNamespace} is slow`,
  description: `The steps of rank ${rank} of ${job} take {{ $value | humanize }} times as long as those of the median rank, over the last 2 minutes.`,
  watches: [],
};

const isActive = `max by (${jobLabels}) (${series(runMetrics.state, inStates(...activeStates))}) == 1`;
const isOver = `last_over_time(${series(runMetrics.state, inStates('completed', 'failed', 'ended'))}[1h]) == 1`;

const rankSilent: Alert = {
  name: 'MlTrainingRankSilent',
  severity: 'warning',
  // Ranks of one job end at different times.
  for: '5m',
  expr: aggregated(
    'max',
    rankLabels,
    [
      '(',
      indented(`last_over_time(${series(runMetrics.rankStep)}[1h])`),
      indented(`unless on (${rankLabels}) ${series(runMetrics.rankStep)}`),
      indented(`unless on (${rankLabels}) ${isOver}`),
      ')',
      `and on (${jobLabels}) (${isActive})`,
    ].join('\n'),
  ),
  summary: `Rank ${rank} of training job ${jobWithNamespace} is silent`,
  description: `Rank ${rank} of ${job} last reported step {{ $value | humanize }} and nothing since, while other ranks of the job go on.`,
  watches: [],
};

export const rankAlerts: readonly Alert[] = [straggler, rankSilent];
