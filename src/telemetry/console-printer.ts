import {
  type DataPoint,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import { runAttributes } from '../catalogue/metrics.ts';

const ofRun: ReadonlySet<string> = new Set(Object.values(runAttributes));

/**
 * Prints collections to standard output. If its reader is gone, as after `| head`, they are lost and the bridge goes on, as it
 * does without a reader of its log.
 */
export function createConsolePrinter(): (metrics: ResourceMetrics) => void {
  process.stdout.on('error', () => undefined);
  return (metrics) => void process.stdout.write(formatMetrics(metrics));
}

/** A collection as text: a line with the time and the run's attributes, then one line for each metric. */
function formatMetrics({ scopeMetrics }: ResourceMetrics): string {
  const metrics = scopeMetrics
    .flatMap((scope) => scope.metrics)
    .filter(({ dataPoints }) => dataPoints.length > 0);
  const points: readonly DataPoint<unknown>[] = metrics.flatMap(({ dataPoints }) => [...dataPoints]);
  const width = Math.max(0, ...metrics.map(({ descriptor }) => descriptor.name.length));
  const lines = metrics.map((metric) => `  ${metric.descriptor.name.padEnd(width)}  ${valuesOf(metric)}`);
  return [headerOf(points), ...lines, ''].join('\n');
}

function headerOf(points: readonly DataPoint<unknown>[]): string {
  const [seconds, nanoseconds] = points[0]?.endTime ?? [0, 0];
  const attributes = Object.assign({}, ...points.map((point) => point.attributes));
  const labels = Object.entries(attributes).filter(([key]) => ofRun.has(key));
  const time = new Date(seconds * 1000 + nanoseconds / 1e6).toISOString();
  return [time, ...labels.map(([key, value]) => `${key}=${value}`)].join(' ');
}

function valuesOf(metric: MetricData): string {
  const { unit } = metric.descriptor;
  // An annotation such as {batch} repeats the metric's name.
  const suffix = unit === '' || unit.startsWith('{') ? '' : ` ${unit}`;
  const label = ({ attributes }: DataPoint<unknown>) =>
    Object.entries(attributes)
      .filter(([key]) => !ofRun.has(key))
      .map(([, value]) => value)
      .join(' ');
  const text = (point: DataPoint<unknown>, value: string) =>
    label(point) === '' ? `${value}${suffix}` : `${label(point)}: ${value}${suffix}`;
  if (metric.dataPointType === DataPointType.GAUGE || metric.dataPointType === DataPointType.SUM)
    return metric.dataPoints.map((point) => text(point, numberText(point.value))).join(', ');
  const points: readonly DataPoint<{ readonly count: number; readonly sum?: number }>[] = metric.dataPoints;
  return points
    .map((point) => {
      const { count, sum = 0 } = point.value;
      return `${text(point, numberText(sum / count))} (mean of ${count})`;
    })
    .join(', ');
}

/** Without the rounding error of a double: 0.007, not 0.007000000000000001. */
const numberText = (value: unknown): string =>
  String(typeof value === 'number' ? Number(value.toPrecision(12)) : value);
