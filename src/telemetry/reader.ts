import {
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  MetricReader,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Config } from '../config/bridge.ts';

/**
 * Collects only on request and exports nothing itself. The SDK's periodic reader collects on its own timer and skips a
 * collection during an export. Here every new snapshot is collected, even while the Collector does not respond.
 */
export class SnapshotReader extends MetricReader {
  constructor(histograms: Config['histogramAggregation']) {
    super({
      aggregationTemporalitySelector: temporalityOf,
      aggregationSelector: (type) =>
        type === InstrumentType.HISTOGRAM && histograms === 'base2_exponential_bucket_histogram'
          ? { type: AggregationType.EXPONENTIAL_HISTOGRAM }
          : { type: AggregationType.DEFAULT },
    });
  }

  /** The current data points of every instrument. Rejects with an AggregateError if an observable callback throws. */
  async read(): Promise<ScopeMetrics[]> {
    const { resourceMetrics, errors } = await this.collect();
    if (errors.length > 0) throw new AggregateError(errors, 'an observer failed');
    return resourceMetrics.scopeMetrics;
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

/**
 * OTLP gauges have no temporality. In the SDK, however, a cumulative gauge is exported for ever after its last
 * observation, and a delta gauge only if it was observed in this collection.
 */
function temporalityOf(type: InstrumentType): AggregationTemporality {
  const isGauge = type === InstrumentType.GAUGE || type === InstrumentType.OBSERVABLE_GAUGE;
  return isGauge ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
}
