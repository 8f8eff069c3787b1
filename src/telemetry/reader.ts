import {
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  MetricReader,
  type ScopeMetrics,
} from '@opentelemetry/sdk-metrics';
import type { Config } from '../config/bridge.ts';

/**
 * Collects when it is told to and sends nothing itself. The SDK's periodic reader collects by its own timer and skips
 * a collection while an export is under way; here each new snapshot is collected, whatever the Collector does.
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

  /** The present state of every instrument of the provider this reader belongs to. */
  async read(): Promise<ScopeMetrics[]> {
    const { resourceMetrics, errors } = await this.collect();
    if (errors.length > 0) throw new AggregateError(errors, 'an observer failed');
    return resourceMetrics.scopeMetrics;
  }

  protected override async onForceFlush(): Promise<void> {}

  protected override async onShutdown(): Promise<void> {}
}

/**
 * A gauge has no temporality on the wire, but the SDK goes on exporting one that is no longer observed for as long as
 * it is collected as cumulative. As delta it is gone when its value is.
 */
function temporalityOf(type: InstrumentType): AggregationTemporality {
  const isGauge = type === InstrumentType.GAUGE || type === InstrumentType.OBSERVABLE_GAUGE;
  return isGauge ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE;
}
