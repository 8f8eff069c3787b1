import { runMetrics } from '../../../src/catalogue/metrics.ts';
import {
  medianStepDuration,
  type RecordingRule,
  rankLag,
  rankStepDuration,
} from '../alerts/recording-rules.ts';
import { jobLabels, rankLabels, series } from '../promql.ts';
import { inNamespace, jobMatcher, type Panel, perJob } from './panel.ts';

const third = { kind: 'curves', width: 8, height: 8, min: 0 } as const;
const recorded = ({ record }: RecordingRule) => `${record}{${jobMatcher}}`;

const stepTimeByRank: Panel = {
  ...third,
  title: 'Step time by rank',
  description:
    'Time of a step of each rank, over 2 minutes. Empty if the job has no ranks. All ranks look equal unless they write rank_compute_ms, the time before the collective operations.',
  unit: 's',
  queries: [
    {
      legend: `rank {{rank}} ${inNamespace}`,
      expr: `max by (${rankLabels}) (${recorded(rankStepDuration)})`,
      optional: true,
    },
  ],
};

const slowestRank: Panel = {
  ...third,
  title: 'Slowest rank against the median',
  description: 'Step time of the slowest rank, divided by that of the median rank. Normally close to 1.',
  unit: 'none',
  queries: [
    {
      legend: `slowest ${inNamespace}`,
      expr: `${perJob('max', recorded(rankStepDuration))}\n/ on (${jobLabels})\n${perJob('max', recorded(medianStepDuration))}`,
      optional: true,
    },
  ],
};

const rankSteps: Panel = {
  ...third,
  title: 'Ranks behind',
  description:
    'Steps that a rank is behind the one that is furthest, for the ranks that are behind, and the number of ranks that report.',
  unit: 'none',
  queries: [
    {
      legend: `rank {{rank}} ${inNamespace}`,
      expr: `max by (${rankLabels}) (${recorded(rankLag)}) > 0`,
      optional: true,
    },
    {
      legend: `ranks that report ${inNamespace}`,
      expr: `count by (${jobLabels}) (count by (${rankLabels}) (${series(runMetrics.rankStep, jobMatcher)}))`,
      optional: true,
    },
  ],
};

export const rankPanels: readonly Panel[] = [stepTimeByRank, slowestRank, rankSteps];
