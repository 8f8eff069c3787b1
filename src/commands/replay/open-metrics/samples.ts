import type { HrTime } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { type DataPoint, DataPointType, type Histogram, type MetricData } from '@opentelemetry/sdk-metrics';
import { labelName, prometheusName } from '../../../catalogue/prometheus-name.ts';
import { targetLabels } from '../../check/series.ts';
import { boundText, type Family, labelText, type SeriesText } from './text.ts';

/** A point as numbers. The points of one series have the same key, and as many values as its text has lines. */
export interface PointNumbers {
  readonly key: string;
  /** Unix milliseconds. */
  readonly timeMs: number;
  readonly values: readonly number[];
  /** Needed for the first point of a series only, because it takes longer than the numbers. */
  readonly describeSeries: () => SeriesText;
}

/**
 * The points of a metric as OpenMetrics has them, with the names and labels that Prometheus gives them.
 *
 * Source: OpenMetrics 1.0, "Text format".
 */
export function metricNumbers(metric: MetricData, resource: Resource): readonly PointNumbers[] {
  const { descriptor } = metric;
  const numbersOf = <T>(
    points: readonly DataPoint<T>[],
    valuesOf: (value: T) => readonly number[],
    describe: (descriptor: Descriptor, labels: Labels, value: T) => SeriesText,
  ) =>
    points.map(({ attributes, endTime, value }) => ({
      key: `${descriptor.name} ${JSON.stringify(attributes)}`,
      timeMs: millisecondsOf(endTime),
      values: valuesOf(value),
      describeSeries: () => describe(descriptor, labelsOf(attributes, resource), value),
    }));
  switch (metric.dataPointType) {
    case DataPointType.GAUGE:
      return numbersOf(metric.dataPoints, single, gaugeText);
    case DataPointType.SUM:
      return numbersOf(metric.dataPoints, single, counterText);
    case DataPointType.HISTOGRAM:
      return numbersOf(metric.dataPoints, histogramValues, histogramText);
    case DataPointType.EXPONENTIAL_HISTOGRAM:
      // The text format has no native histograms. The instruments are created with buckets.
      return [];
  }
}

const millisecondsOf = ([seconds, nanoseconds]: HrTime) => seconds * 1000 + Math.round(nanoseconds / 1e6);

type Descriptor = MetricData['descriptor'];
type Labels = readonly (readonly [key: string, value: string])[];

const labelsOf = (attributes: DataPoint<unknown>['attributes'], resource: Resource): Labels => [
  ...Object.entries(attributes).map(([key, value]) => [labelName(key), String(value)] as const),
  ...Object.entries(targetLabels(resource)),
];

const single = (value: number): readonly number[] => [value];

function gaugeText({ name, unit, description: help }: Descriptor, labels: Labels): SeriesText {
  const sample = prometheusName({ name, unit, instrument: 'gauge' });
  return { family: { name: sample, type: 'gauge', help }, lines: [sample + labelText(labels)] };
}

function counterText({ name, unit, description: help }: Descriptor, labels: Labels): SeriesText {
  const sample = prometheusName({ name, unit, instrument: 'counter' });
  const family: Family = { name: sample.replace(/_total$/, ''), type: 'counter', help };
  return { family, lines: [sample + labelText(labels)] };
}

/** Buckets, which each count those below too, then the count and the sum. */
function histogramValues({ buckets, count, sum = 0 }: Histogram): readonly number[] {
  let total = 0;
  const cumulative = buckets.counts.map((inBucket) => {
    total += inBucket;
    return total;
  });
  return [...cumulative, count, sum];
}

function histogramText(
  { name, unit, description: help }: Descriptor,
  labels: Labels,
  { buckets }: Histogram,
): SeriesText {
  const family: Family = {
    name: prometheusName({ name, unit, instrument: 'histogram' }),
    type: 'histogram',
    help,
  };
  const bounds = [...buckets.boundaries, Number.POSITIVE_INFINITY];
  const lines = [
    ...bounds.map((bound) => `${family.name}_bucket${labelText([...labels, ['le', boundText(bound)]])}`),
    `${family.name}_count${labelText(labels)}`,
    `${family.name}_sum${labelText(labels)}`,
  ];
  return { family, lines };
}
