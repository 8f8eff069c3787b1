import { startBridge } from '../support/bridge.ts';
import type { Collector } from './collector.ts';

export const kinds = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const;
export type Kind = (typeof kinds)[number];

export const measured = { processing_time_ms: 240, samples_per_second: 134.45 };

/** A job named after its kind of histogram, with a bridge beside it. */
export async function training(kind: Kind, { endpoint }: Collector) {
  const bridge = await startBridge({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: kind,
    },
  });
  let step = 0;
  return {
    train: () =>
      bridge.write({
        job: { job_id: kind },
        metrics: { ...measured, batch_number: ++step, batches_per_epoch: 1_000_000, total_epochs: 9 },
      }),
  };
}
