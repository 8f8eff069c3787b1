import type { Attributes } from '@opentelemetry/api';
import {
  type DataPoint,
  DataPointType,
  type ExponentialHistogram,
  type Histogram,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

/** What an object costs beside the text in it: on the heap, or as tags and lengths of Protocol Buffers. */
const overhead = {
  request: 128,
  scope: 96,
  metric: 96,
  point: 88,
  attribute: 16,
  histogram: 128,
  bucket: 9,
  span: 512,
};

const textBytes = (text: string | undefined) => (text === undefined ? 0 : Buffer.byteLength(text));

/** An upper bound of the bytes that a snapshot takes, on the heap and serialized. */
export function weighMetrics({ resource, scopeMetrics }: ResourceMetrics): number {
  let bytes = overhead.request + attributeBytes(resource.attributes);
  for (const { scope, metrics } of scopeMetrics) {
    bytes += overhead.scope + textBytes(scope.name) + textBytes(scope.version) + textBytes(scope.schemaUrl);
    for (const metric of metrics) bytes += metricBytes(metric);
  }
  return bytes;
}

function metricBytes(metric: MetricData): number {
  let bytes = overhead.metric + descriptorBytes(metric.descriptor);
  for (const point of metric.dataPoints as DataPoint<unknown>[])
    bytes += overhead.point + attributeBytes(point.attributes);
  if (metric.dataPointType === DataPointType.HISTOGRAM)
    for (const { value } of metric.dataPoints) bytes += histogramBytes(value);
  if (metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM)
    for (const { value } of metric.dataPoints) bytes += exponentialBytes(value);
  return bytes;
}

const histogramBytes = ({ buckets }: Histogram) =>
  overhead.histogram + overhead.bucket * (buckets.counts.length + buckets.boundaries.length);

const exponentialBytes = ({ positive, negative }: ExponentialHistogram) =>
  overhead.histogram + overhead.bucket * (positive.bucketCounts.length + negative.bucketCounts.length);

/** Descriptors and attributes are the same objects in each snapshot of a run; their text is measured once. */
function once<T extends object>(measure: (it: T) => number): (it: T) => number {
  const measured = new WeakMap<T, number>();
  return (it) => {
    const known = measured.get(it);
    if (known !== undefined) return known;
    const bytes = measure(it);
    measured.set(it, bytes);
    return bytes;
  };
}

const descriptorBytes = once(
  ({ name, unit, description }: MetricData['descriptor']) =>
    textBytes(name) + textBytes(unit) + textBytes(description),
);

const attributeBytes = once((attributes: Attributes) => {
  let bytes = 0;
  for (const key in attributes) bytes += overhead.attribute + textBytes(key) + valueBytes(attributes[key]);
  return bytes;
});

function valueBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value);
  if (typeof value !== 'object' || value === null) return overhead.attribute;
  let bytes = overhead.attribute;
  for (const [key, part] of Object.entries(value))
    bytes += overhead.attribute + textBytes(key) + valueBytes(part);
  return bytes;
}

/** An upper bound of the bytes that spans take, on the heap and serialized. */
export function weighSpans(spans: readonly ReadableSpan[]): number {
  const [first] = spans;
  return spans.reduce(
    (bytes, span) => bytes + spanBytes(span),
    attributeBytes(first?.resource.attributes ?? {}),
  );
}

function spanBytes({ name, attributes, events, links, status }: ReadableSpan): number {
  let bytes = overhead.span + textBytes(name) + textBytes(status.message) + attributeBytes(attributes);
  for (const event of events)
    bytes += overhead.point + textBytes(event.name) + attributeBytes(event.attributes ?? {});
  for (const link of links) bytes += overhead.span + attributeBytes(link.attributes ?? {});
  return bytes;
}
