import {
  type DataPoint,
  DataPointType,
  type GaugeMetricData,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { type RunState, runMetrics } from '../catalogue/metrics.ts';

/**
 * The metrics with a run that was running or stalled shown as `ended`. A Collector shows what it received last for
 * another minute, and a run whose bridge is gone must not look as if it went on. OTLP's flag for a series that has
 * ended (`NO_RECORDED_VALUE`) would say more, but the SDK cannot write it.
 */
export function withEndedRun(metrics: ResourceMetrics): ResourceMetrics {
  return {
    ...metrics,
    scopeMetrics: metrics.scopeMetrics.map((scope) => ({ ...scope, metrics: scope.metrics.map(endState) })),
  };
}

const unfinished: readonly RunState[] = ['running', 'stalled'];
const ended: RunState = 'ended';

function endState(metric: MetricData): MetricData {
  if (metric.descriptor.name !== runMetrics.state.name || metric.dataPointType !== DataPointType.GAUGE)
    return metric;
  const stateOf = ({ attributes }: DataPoint<number>) => attributes[runMetrics.state.attributes[0]];
  const isUnfinished = metric.dataPoints.some(
    (point) => point.value === 1 && unfinished.some((state) => state === stateOf(point)),
  );
  if (!isUnfinished) return metric;
  const dataPoints = metric.dataPoints.map((point) => ({
    ...point,
    value: stateOf(point) === ended ? 1 : 0,
  }));
  return { ...metric, dataPoints } satisfies GaugeMetricData;
}
