import { millisToHrTime } from '@opentelemetry/core';
import type { DataPoint, MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/**
 * Replaces the times of all points, which the SDK sets to the time of the collection.
 *
 * @param time Unix milliseconds
 * @param start Unix milliseconds; if it is later than `time`, because the clock was set back, `time` is used
 */
export function stamp(scopeMetrics: readonly ScopeMetrics[], time: number, start: number): ScopeMetrics[] {
  const [startTime, endTime] = [millisToHrTime(Math.min(start, time)), millisToHrTime(time)];
  const stamped = (metric: MetricData) => {
    const points: readonly DataPoint<unknown>[] = metric.dataPoints;
    const dataPoints = points.map(({ attributes, value }) => ({ attributes, startTime, endTime, value }));
    return { ...metric, dataPoints } as MetricData;
  };
  return scopeMetrics.map(({ scope, metrics }) => ({ scope, metrics: metrics.map(stamped) }));
}
