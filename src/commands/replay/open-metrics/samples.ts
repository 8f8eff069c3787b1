import type { HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { type DataPoint, DataPointType, type Histogram, type MetricData } from '@opentelemetry/sdk-metrics';
import { labelName, prometheusName } from '../../../catalogue/prometheus-name.ts';
import { targetLabels } from '../../check/series.ts';

/** A metric family of OpenMetrics. */
export interface Family {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
}

/** The lines of one point. Points of one series have the same labels. */
export interface PointLines {
  readonly family: Family;
  /** Labels with braces, without that of a bucket. */
  readonly labels: string;
  readonly lines: string;
}

/**
 * The points of a metric as OpenMetrics writes them, with the names and labels that Prometheus gives them.
 *
 * Source: OpenMetrics 1.0, "Text format".
 */
export function linesOfMetric(metric: MetricData, resource: Resource): readonly PointLines[] {
  const target = Object.entries(targetLabels(resource));
  const { name, unit, description: help } = metric.descriptor;
  const of = (instrument: Family['type']) => prometheusName({ name, unit, instrument });
  switch (metric.dataPointType) {
    case DataPointType.GAUGE:
      return simple({ name: of('gauge'), type: 'gauge', help }, of('gauge'), metric.dataPoints, target);
    case DataPointType.SUM: {
      const sample = of('counter');
      const family: Family = { name: sample.replace(/_total$/, ''), type: 'counter', help };
      return simple(family, sample, metric.dataPoints, target);
    }
    case DataPointType.HISTOGRAM:
      return histogram({ name: of('histogram'), type: 'histogram', help }, metric.dataPoints, target);
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      // The text format has no native histograms. The instruments are created with buckets.
      return [];
  }
}

type Labels = readonly (readonly [key: string, value: string])[];

function simple(
  family: Family,
  sample: string,
  points: readonly DataPoint<number>[],
  target: Labels,
): readonly PointLines[] {
  return points.map(({ attributes, value, endTime }) => {
    const labels = labelText([...labelsOf(attributes), ...target]);
    return { family, labels, lines: `${sample}${labels} ${numberText(value)} ${timeText(endTime)}\n` };
  });
}

function histogram(
  family: Family,
  points: readonly DataPoint<Histogram>[],
  target: Labels,
): readonly PointLines[] {
  return points.map(({ attributes, value: { buckets, count, sum = 0 }, endTime }) => {
    const pairs = [...labelsOf(attributes), ...target];
    const labels = labelText(pairs);
    const time = timeText(endTime);
    let total = 0;
    const lines = buckets.counts.map((inBucket, index) => {
      total += inBucket;
      const bound = buckets.boundaries[index] ?? Number.POSITIVE_INFINITY;
      const bucket = labelText([...pairs, ['le', boundText(bound)]]);
      return `${family.name}_bucket${bucket} ${total} ${time}\n`;
    });
    lines.push(`${family.name}_count${labels} ${count} ${time}\n`);
    lines.push(`${family.name}_sum${labels} ${numberText(sum)} ${time}\n`);
    return { family, labels, lines: lines.join('') };
  });
}

const labelsOf = (attributes: DataPoint<unknown>['attributes']): Labels =>
  Object.entries(attributes).map(([key, value]) => [labelName(key), String(value)]);

const labelText = (labels: Labels): string =>
  `{${labels.map(([key, value]) => `${key}="${escaped(value)}"`).join(',')}}`;

const escaped = (text: string) =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

/** OpenMetrics demands that the bound is written as a floating point number. */
const boundText = (bound: number) => (Number.isInteger(bound) ? `${bound}.0` : numberText(bound));

/**
 * Seconds with three decimals. Prometheus multiplies them by 1,000 as a double and cuts the result off, so a microsecond
 * is added where that would be a millisecond less.
 */
function timeText([seconds, nanoseconds]: HrTime): string {
  const milliseconds = Math.round(nanoseconds / 1e6);
  const text = `${seconds}.${String(milliseconds).padStart(3, '0')}`;
  return Math.trunc(Number(text) * 1000) === seconds * 1000 + milliseconds ? text : `${text}001`;
}

/** The lines before the samples of a family. */
export function headerOf({ name, type, help }: Family): string {
  const unit = /_(seconds|milliseconds|ratio)$/.exec(name)?.[1];
  const unitLine = unit === undefined ? '' : `# UNIT ${name} ${unit}\n`;
  return `# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${escaped(help)}\n`;
}
