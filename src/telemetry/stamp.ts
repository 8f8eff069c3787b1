import { millisToHrTime } from '@opentelemetry/core';
import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';

/**
 * Metrics with times of ours, in Unix milliseconds: every point at `time`, and since `start`, or since `time` where that
 * is earlier, as after the clock was set back. The SDK puts in the time of the call.
 */
export function stamp(scopeMetrics: readonly ScopeMetrics[], time: number, start: number): ScopeMetrics[] {
  const times = { startTime: millisToHrTime(Math.min(start, time)), endTime: millisToHrTime(time) };
  const stamped = (metric: MetricData) =>
    ({ ...metric, dataPoints: metric.dataPoints.map((point) => ({ ...point, ...times })) }) as MetricData;
  return scopeMetrics.map(({ scope, metrics }) => ({ scope, metrics: metrics.map(stamped) }));
}
