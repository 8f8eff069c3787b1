import type { INamespace, IType } from 'protobufjs/light.js';

/** A field of a message: its type and its number on the wire. */
type Field = readonly [type: string, id: number, rule?: 'repeated'];

/** `oneofs` is also used for optional proto3 fields: decoding then leaves out an absent field and does not set it to zero. */
function message(
  fields: Readonly<Record<string, Field>>,
  oneofs: Readonly<Record<string, string[]>> = {},
): IType {
  return {
    fields: Object.fromEntries(
      Object.entries(fields).map(([name, [type, id, rule]]) => [
        name,
        rule === undefined ? { type, id } : { type, id, rule },
      ]),
    ),
    oneofs: Object.fromEntries(Object.entries(oneofs).map(([name, oneof]) => [name, { oneof }])),
  };
}

const times = { startTimeUnixNano: ['fixed64', 2], timeUnixNano: ['fixed64', 3] } as const;

/**
 * The messages of an OTLP metrics export, as far as they are read here; unknown fields are skipped by the decoder.
 *
 * Field numbers: opentelemetry-proto, `collector/metrics/v1/metrics_service.proto`, `metrics/v1/metrics.proto`,
 * `common/v1/common.proto` and `resource/v1/resource.proto`.
 */
export const description: INamespace = {
  nested: {
    ExportMetricsServiceRequest: message({ resourceMetrics: ['ResourceMetrics', 1, 'repeated'] }),
    ExportMetricsServiceResponse: message({ partialSuccess: ['ExportMetricsPartialSuccess', 1] }),
    ExportMetricsPartialSuccess: message({ rejectedDataPoints: ['int64', 1], errorMessage: ['string', 2] }),

    ResourceMetrics: message({ resource: ['Resource', 1], scopeMetrics: ['ScopeMetrics', 2, 'repeated'] }),
    Resource: message({ attributes: ['KeyValue', 1, 'repeated'] }),
    ScopeMetrics: message({ scope: ['InstrumentationScope', 1], metrics: ['Metric', 2, 'repeated'] }),
    InstrumentationScope: message({ name: ['string', 1], version: ['string', 2] }),

    KeyValue: message({ key: ['string', 1], value: ['AnyValue', 2] }),
    AnyValue: message(
      {
        stringValue: ['string', 1],
        boolValue: ['bool', 2],
        intValue: ['int64', 3],
        doubleValue: ['double', 4],
        arrayValue: ['ArrayValue', 5],
        kvlistValue: ['KeyValueList', 6],
        bytesValue: ['bytes', 7],
      },
      {
        kind: [
          'stringValue',
          'boolValue',
          'intValue',
          'doubleValue',
          'arrayValue',
          'kvlistValue',
          'bytesValue',
        ],
      },
    ),
    ArrayValue: message({ values: ['AnyValue', 1, 'repeated'] }),
    KeyValueList: message({ values: ['KeyValue', 1, 'repeated'] }),

    Metric: message(
      {
        name: ['string', 1],
        description: ['string', 2],
        unit: ['string', 3],
        gauge: ['Gauge', 5],
        sum: ['Sum', 7],
        histogram: ['Histogram', 9],
        exponentialHistogram: ['ExponentialHistogram', 10],
      },
      { data: ['gauge', 'sum', 'histogram', 'exponentialHistogram'] },
    ),
    // Enums are encoded as varints, so a temporality is read as int32: 1 is delta, 2 is cumulative.
    Gauge: message({ dataPoints: ['NumberDataPoint', 1, 'repeated'] }),
    Sum: message({
      dataPoints: ['NumberDataPoint', 1, 'repeated'],
      aggregationTemporality: ['int32', 2],
      isMonotonic: ['bool', 3],
    }),
    Histogram: message({
      dataPoints: ['HistogramDataPoint', 1, 'repeated'],
      aggregationTemporality: ['int32', 2],
    }),
    ExponentialHistogram: message({
      dataPoints: ['ExponentialHistogramDataPoint', 1, 'repeated'],
      aggregationTemporality: ['int32', 2],
    }),

    NumberDataPoint: message(
      { ...times, asDouble: ['double', 4], asInt: ['sfixed64', 6], attributes: ['KeyValue', 7, 'repeated'] },
      { value: ['asDouble', 'asInt'] },
    ),
    HistogramDataPoint: message(
      {
        ...times,
        count: ['fixed64', 4],
        sum: ['double', 5],
        bucketCounts: ['fixed64', 6, 'repeated'],
        explicitBounds: ['double', 7, 'repeated'],
        attributes: ['KeyValue', 9, 'repeated'],
      },
      { optionalSum: ['sum'] },
    ),
    ExponentialHistogramDataPoint: message(
      {
        ...times,
        attributes: ['KeyValue', 1, 'repeated'],
        count: ['fixed64', 4],
        sum: ['double', 5],
        scale: ['sint32', 6],
        zeroCount: ['fixed64', 7],
        positive: ['Buckets', 8],
        negative: ['Buckets', 9],
      },
      { optionalSum: ['sum'] },
    ),
    Buckets: message({ offset: ['sint32', 1], bucketCounts: ['uint64', 2, 'repeated'] }),
  },
};
