import type { DataPoint, MetricData, ResourceMetrics, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { groupBy } from '../common/group-by.ts';

/**
 * The metrics of several snapshots, oldest first, with the points of each metric in one list in the order of the
 * snapshots. Names, units and descriptions, which are most of a snapshot's bytes, are then sent once.
 */
export function mergeScopeMetrics(
  snapshots: readonly Pick<ResourceMetrics, 'scopeMetrics'>[],
): ScopeMetrics[] {
  const scopes = groupBy(
    snapshots.flatMap(({ scopeMetrics }) => scopeMetrics),
    scopeKey,
  );
  return [...scopes.values()].map(mergeScope);
}

const scopeKey = ({ scope }: ScopeMetrics) => key(scope.name, scope.version, scope.schemaUrl);

function mergeScope(sameScope: readonly ScopeMetrics[]): ScopeMetrics {
  const [first] = sameScope as readonly [ScopeMetrics];
  const metrics = groupBy(
    sameScope.flatMap((it) => it.metrics),
    metricKey,
  );
  return { scope: first.scope, metrics: [...metrics.values()].map(mergePoints) };
}

/** What the OTLP message of a metric says beside its points. Snapshots from a disk share no objects. */
function metricKey({ descriptor, ...metric }: MetricData): string {
  const { name, unit, description, valueType } = descriptor;
  const isMonotonic = 'isMonotonic' in metric && metric.isMonotonic;
  const { dataPointType, aggregationTemporality } = metric;
  return key(name, unit, description, valueType, dataPointType, aggregationTemporality, isMonotonic);
}

function mergePoints(sameMetric: readonly MetricData[]): MetricData {
  const [first] = sameMetric as readonly [MetricData];
  const dataPoints = sameMetric.flatMap((metric): readonly DataPoint<unknown>[] => metric.dataPoints);
  return { ...first, dataPoints } as MetricData;
}

const key = (...parts: readonly (string | number | boolean | undefined)[]) => parts.join('\0');
