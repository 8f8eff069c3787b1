import { runMetrics } from '../../../src/catalogue/metrics.ts';
import { field, jobLabels, rankLabels, series } from '../promql.ts';

/** A series that Prometheus computes from others, named level:metric:operation. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
}

const batches = series(field('batch_number'));

/** Batches a second of a job. In the first five minutes of a counter, rate() would be too low. */
const pace: RecordingRule = {
  record: 'job_id:ml_training_batch_number:rate5m',
  expr: `max by (${jobLabels}) (rate(${batches}[5m]) and ${batches} offset 5m)`,
};

/** Share of the last hour's wall time that training at the best pace of the last day would have needed. */
export const goodput: RecordingRule = {
  record: 'job_id:ml_training_goodput:avg1h',
  expr: `avg_over_time(${pace.record}[1h])\n/\n(max_over_time(${pace.record}[1d]) > 0)`,
};

/** A rank may be reported by its own bridge and by one that reads its file. */
export const rankStepDuration: RecordingRule = {
  record: 'rank:ml_training_rank_step_duration_seconds:avg2m',
  expr: `max by (${rankLabels}) (avg_over_time(${series(runMetrics.rankStepDuration)}[2m]))`,
};

export const medianStepDuration: RecordingRule = {
  record: 'job_id:ml_training_rank_step_duration_seconds:median2m',
  expr: `quantile by (${jobLabels}) (0.5, ${rankStepDuration.record})`,
};

/** Steps behind the rank that is furthest. */
export const rankLag: RecordingRule = {
  record: 'rank:ml_training_rank_step:lag',
  expr: [
    `max by (${jobLabels}) (${series(runMetrics.rankStep)})`,
    `- on (${jobLabels}) group_right ()`,
    `max by (${rankLabels}) (${series(runMetrics.rankStep)})`,
  ].join('\n'),
};

/** By group. The rules of a group are evaluated one after the other, so one may use those before it. */
export const recordingRules = {
  'ml-training': [pace, goodput],
  'ml-training-ranks': [rankStepDuration, medianStepDuration, rankLag],
} as const satisfies Readonly<Record<string, readonly RecordingRule[]>>;
