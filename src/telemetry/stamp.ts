import { millisToHrTime } from '@opentelemetry/core';
import type { DataPoint, MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/**
 * Metrics with times of ours, in Unix milliseconds: every point at `time`, and since `start`, or since `time` where that
 * is earlier, as after the clock was set back. The SDK puts in the time of the call.
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
