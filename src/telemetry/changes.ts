import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { type MetricDefinition, runMetrics, trainingMetrics } from '../catalogue/metrics.ts';

const catalogue: readonly MetricDefinition[] = [...trainingMetrics, ...Object.values(runMetrics)];
const rarelyChanging: ReadonlySet<string> = new Set(
  catalogue.filter(({ rarelyChanges }) => rarelyChanges).map(({ name }) => name),
);

/**
 * Returns a function that takes every collection of a run and returns it without the points that rarely change and are
 * the same as in the collection before. A metric without points before has changed.
 */
export function createChangeFilter(): (collection: readonly ScopeMetrics[]) => ScopeMetrics[] {
  let before: ReadonlyMap<string, string> = new Map();
  return (collection) => {
    const current = new Map<string, string>();
    const changed = collection.map(({ scope, metrics }) => ({
      scope,
      metrics: metrics.filter((metric) => {
        const { name } = metric.descriptor;
        if (!rarelyChanging.has(name)) return true;
        const points = pointsOf(metric);
        current.set(name, points);
        return before.get(name) !== points;
      }),
    }));
    before = current;
    return changed;
  };
}

/** Attributes and values of all points. Their times differ in every collection. */
const pointsOf = ({ dataPoints }: MetricData) =>
  JSON.stringify(dataPoints.map(({ attributes, value }) => [attributes, value]));
