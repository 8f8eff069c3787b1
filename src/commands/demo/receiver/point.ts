import type {
  WireAnyValue,
  WireBuckets,
  WireExponentialPoint,
  WireHistogramPoint,
  WireKeyValue,
  WireMetric,
  WireNumberPoint,
  WirePoint,
  WireRequest,
} from './wire.ts';

export type AttributeValue =
  | string
  | number
  | boolean
  | null
  | readonly AttributeValue[]
  | { readonly [key: string]: AttributeValue };

export interface ExponentialBuckets {
  readonly offset: number;
  readonly bucketCounts: readonly number[];
}

/** One data point with the properties of its metric, scope and resource. */
export interface Point {
  readonly metric: string;
  readonly kind: 'gauge' | 'sum' | 'histogram' | 'exponential_histogram';
  readonly unit: string;
  readonly description: string;
  /** Name of the instrumentation scope. */
  readonly scope: string;
  /** Sums only. */
  readonly monotonic?: boolean;
  /** All but gauges; absent if the sender left it unspecified. */
  readonly temporality?: 'cumulative' | 'delta';
  /** Lists and maps, which no metric backend takes as labels, as JSON text. */
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly resource: Readonly<Record<string, AttributeValue>>;
  /** Unix time in milliseconds, to the microsecond; 0 if not set. */
  readonly startTimeMs: number;
  /** Unix time in milliseconds, to the microsecond; 0 if not set. */
  readonly timeMs: number;
  /** Value of a gauge or sum, sum of a histogram; NaN if the point has none. */
  readonly value: number;
  /** Histograms only. */
  readonly count?: number;
  /** Upper bounds of an explicit histogram; there is one bucket more than bounds. */
  readonly bounds?: readonly number[];
  readonly bucketCounts?: readonly number[];
  /** Bucket i of `positive` holds values up to `2 ** ((offset + i + 1) / 2 ** scale)`. */
  readonly exponential?: {
    readonly scale: number;
    readonly zeroCount: number;
    readonly positive: ExponentialBuckets;
    readonly negative: ExponentialBuckets;
  };
}

type Common = Pick<Point, 'metric' | 'unit' | 'description' | 'scope' | 'resource'>;

/** Every point of a request, in the order it was written. */
export function pointsOf(request: WireRequest): readonly Point[] {
  return request.resourceMetrics.flatMap(({ resource, scopeMetrics }) => {
    const resourceAttributes = record(resource?.attributes ?? []);
    return scopeMetrics.flatMap(({ scope, metrics }) =>
      metrics.flatMap((metric) =>
        pointsOfMetric(metric, {
          metric: metric.name,
          unit: metric.unit,
          description: metric.description,
          scope: scope?.name ?? '',
          resource: resourceAttributes,
        }),
      ),
    );
  });
}

function pointsOfMetric(metric: WireMetric, common: Common): readonly Point[] {
  const { gauge, sum, histogram, exponentialHistogram } = metric;
  if (gauge) return gauge.dataPoints.map((point) => ({ ...common, kind: 'gauge', ...numberValue(point) }));
  if (sum) {
    const { isMonotonic: monotonic, dataPoints } = sum;
    const shared = { ...common, ...temporality(sum), monotonic } as const;
    return dataPoints.map((point) => ({ ...shared, kind: 'sum', ...numberValue(point) }));
  }
  if (histogram) {
    const shared = { ...common, ...temporality(histogram) } as const;
    return histogram.dataPoints.map((point) => ({
      ...shared,
      kind: 'histogram',
      ...explicitHistogram(point),
    }));
  }
  if (exponentialHistogram) {
    const shared = { ...common, ...temporality(exponentialHistogram) } as const;
    return exponentialHistogram.dataPoints.map((point) => ({
      ...shared,
      kind: 'exponential_histogram',
      ...exponentialHistogramOf(point),
    }));
  }
  return [];
}

function temporality(data: { aggregationTemporality: number }): Pick<Point, 'temporality'> {
  if (data.aggregationTemporality === 1) return { temporality: 'delta' };
  return data.aggregationTemporality === 2 ? { temporality: 'cumulative' } : {};
}

/** Rounded to the microsecond, because a number cannot hold current times in nanoseconds exactly. */
const milliseconds = (nanoseconds: number) => Math.round(nanoseconds / 1e3) / 1e3;

const timesAndAttributes = (point: WirePoint): Pick<Point, 'attributes' | 'startTimeMs' | 'timeMs'> => ({
  attributes: Object.fromEntries(
    Object.entries(record(point.attributes)).map(([key, value]) => [
      key,
      typeof value === 'object' ? JSON.stringify(value) : value,
    ]),
  ),
  startTimeMs: milliseconds(point.startTimeUnixNano),
  timeMs: milliseconds(point.timeUnixNano),
});

const numberValue = (point: WireNumberPoint) => ({
  ...timesAndAttributes(point),
  value: point.asDouble ?? point.asInt ?? Number.NaN,
});

const explicitHistogram = (point: WireHistogramPoint) => ({
  ...timesAndAttributes(point),
  value: point.sum ?? Number.NaN,
  count: point.count,
  bounds: point.explicitBounds,
  bucketCounts: point.bucketCounts,
});

const buckets = (wire: WireBuckets | null): ExponentialBuckets => ({
  offset: wire?.offset ?? 0,
  bucketCounts: wire?.bucketCounts ?? [],
});

const exponentialHistogramOf = (point: WireExponentialPoint) => ({
  ...timesAndAttributes(point),
  value: point.sum ?? Number.NaN,
  count: point.count,
  exponential: {
    scale: point.scale,
    zeroCount: point.zeroCount,
    positive: buckets(point.positive),
    negative: buckets(point.negative),
  },
});

const record = (pairs: readonly WireKeyValue[]): Readonly<Record<string, AttributeValue>> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, attribute(value ?? {})]));

const attribute = (value: WireAnyValue): AttributeValue =>
  value.stringValue ??
  value.boolValue ??
  value.intValue ??
  value.doubleValue ??
  value.arrayValue?.values.map(attribute) ??
  (value.kvlistValue ? record(value.kvlistValue.values) : (value.bytesValue ?? null));
