import { expect, it } from 'vitest';
import { bridgeMetrics, runMetrics, trainingMetrics } from '../../src/catalogue/metrics.ts';
import { prometheusSeriesNames } from '../../src/catalogue/prometheus-name.ts';

it('is what the Collector makes of a metric, and stays for every metric that was released', () => {
  const histogram = (name: string) => [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  const names = [...trainingMetrics, ...Object.values(runMetrics), ...Object.values(bridgeMetrics)];
  const released = [
    'ml_training_loss',
    'ml_validation_loss',
    'ml_training_accuracy',
    'ml_training_learning_rate',
    'ml_training_gpu_utilization',
    'ml_training_batch_number_total',
    'ml_training_epoch_total',
    ...histogram('ml_training_processing_time_milliseconds'),
    ...histogram('ml_training_samples_per_second'),
    'ml_training_total_epochs',
    'ml_training_batches_per_epoch',
    'ml_training_total_steps',
    'ml_training_tokens_per_second',
    'ml_training_mfu',
    'ml_training_rank_step',
    'ml_training_rank_step_duration_seconds',
    'ml_training_run_state',
    'ml_training_last_step_time_seconds',
    'ml_training_non_finite_total',
    'ml_training_progress',
    'ml_training_estimated_remaining_seconds',
    'ml_bridge_snapshots_total',
    'ml_bridge_fields_skipped_total',
    'ml_bridge_file_age_seconds',
    'ml_bridge_file_stale_after_seconds',
    'ml_bridge_records_skipped_total',
    'ml_bridge_exports_total',
    'ml_bridge_last_success_time_seconds',
    'ml_bridge_dropped_total',
    'ml_bridge_points_refused_total',
    'ml_bridge_spans_rejected_total',
    'ml_bridge_backlog',
    'ml_bridge_log_lines_dropped_total',
  ];
  expect(names.flatMap(prometheusSeriesNames)).toEqual(expect.arrayContaining(released));
});

it('is one for all names that differ only in what Prometheus does not know', () => {
  const name = (text: string) => prometheusSeriesNames({ name: text, unit: '', instrument: 'gauge' });
  for (const text of ['a.b.c', 'a_b_c', 'a__b._c_']) expect(name(text)).toEqual(['a_b_c']);
});
