import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, AggregationType } from '@opentelemetry/sdk-metrics';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decodeRequest } from '../../../../src/commands/demo/receiver/codec.ts';
import { type Receiver, startReceiver } from '../../../../src/commands/demo/receiver/receiver.ts';
import { createExporter, createMeter, exportOnce } from './client.ts';

const serialized = async (collect: ReturnType<typeof createMeter>['collect']) =>
  ProtobufMetricsSerializer.serializeRequest(await collect()) ?? new Uint8Array();

describe('what the exporter sends', () => {
  let receiver: Receiver;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(() => receiver.stop());

  async function sent(metrics: Awaited<ReturnType<ReturnType<typeof createMeter>['collect']>>) {
    const exporter = createExporter(receiver.endpoint);
    expect(await exportOnce(exporter, metrics)).toMatchObject({ code: 0 });
    await exporter.shutdown();
  }

  it.each([1.5, -2.25, 0, 7, -7, 2 ** 53 - 1, 1e300, 5e-324, Number.NaN, Infinity, -Infinity])(
    'carries a gauge at %d',
    async (value) => {
      const { meter, collect } = createMeter();
      meter.createGauge('g', { unit: 's', description: 'a gauge' }).record(value, { where: 'here' });
      await sent(await collect());
      expect(receiver.points('g')).toMatchObject([
        {
          metric: 'g',
          kind: 'gauge',
          unit: 's',
          description: 'a gauge',
          scope: 'test-scope',
          value,
          attributes: { where: 'here' },
        },
      ]);
      expect(receiver.points('g')[0]).not.toHaveProperty('temporality');
    },
  );

  it('tells counters from up-down counters', async () => {
    const { meter, collect } = createMeter();
    meter.createCounter('up').add(3);
    meter.createUpDownCounter('both').add(-2.5);
    await sent(await collect());
    expect(receiver.points('up')).toMatchObject([
      { kind: 'sum', monotonic: true, temporality: 'cumulative', value: 3 },
    ]);
    expect(receiver.points('both')).toMatchObject([{ kind: 'sum', monotonic: false, value: -2.5 }]);
  });

  it('carries explicit histograms with bounds and buckets', async () => {
    const { meter, collect } = createMeter();
    const histogram = meter.createHistogram('h', { advice: { explicitBucketBoundaries: [0.1, 1, 10] } });
    for (const value of [0.05, 0.5, 0.5, 100]) histogram.record(value);
    await sent(await collect());
    expect(receiver.points('h')).toMatchObject([
      { kind: 'histogram', value: 101.05, count: 4, bounds: [0.1, 1, 10], bucketCounts: [1, 2, 0, 1] },
    ]);
  });

  it('carries exponential histograms whose buckets hold what was recorded', async () => {
    const view = {
      instrumentName: 'e',
      aggregation: { type: AggregationType.EXPONENTIAL_HISTOGRAM },
    } as const;
    const { meter, collect } = createMeter({ views: [view] });
    const histogram = meter.createHistogram('e');
    for (const value of [0, 0.5, 3]) histogram.record(value);
    await sent(await collect());
    const [point] = receiver.points('e');
    expect(point).toMatchObject({
      kind: 'exponential_histogram',
      temporality: 'cumulative',
      value: 3.5,
      count: 3,
    });
    expect(point?.exponential).toMatchObject({ zeroCount: 1, negative: { bucketCounts: [] } });
    const { scale = 0, positive } = point?.exponential ?? {};
    const uppers = (positive?.bucketCounts ?? []).flatMap((count, index) =>
      count === 0 ? [] : [2 ** (((positive?.offset ?? 0) + index + 1) / 2 ** scale)],
    );
    const base = 2 ** (1 / 2 ** scale);
    expect(uppers).toHaveLength(2);
    [0.5, 3].forEach((value, index) => {
      expect(uppers[index]).toBeGreaterThanOrEqual(value * (1 - 1e-9));
      expect(uppers[index]).toBeLessThan(value * base * (1 + 1e-9));
    });
  });

  it('carries every type of attribute, of point and resource', async () => {
    const resource = resourceFromAttributes({ name: 'pod', ranks: [0, 1] });
    const { meter, collect } = createMeter({ resource });
    const attributes = {
      text: 'é',
      whole: -1,
      half: 0.5,
      on: false,
      list: ['a', 'b'],
      __proto: 'x',
      empty: '',
    };
    meter.createGauge('g').record(1, attributes);
    await sent(await collect());
    expect(receiver.points('g')[0]?.attributes).toEqual({ ...attributes, list: '["a","b"]' });
    expect(receiver.points('g')[0]?.resource).toEqual({ name: 'pod', ranks: [0, 1] });
  });

  it('carries times as whole milliseconds where they are', async () => {
    const before = Date.now();
    const { meter, collect } = createMeter();
    meter.createCounter('c').add(1);
    const metrics = await collect();
    const after = Date.now();
    await sent(metrics);
    const { startTimeMs, timeMs } = receiver.points('c')[0] ?? { startTimeMs: 0, timeMs: 0 };
    expect(startTimeMs).toBeGreaterThanOrEqual(before - 1);
    expect(timeMs).toBeGreaterThanOrEqual(startTimeMs);
    expect(timeMs).toBeLessThanOrEqual(after + 1);
    const [seconds, nanoseconds] = metrics.scopeMetrics[0]?.metrics[0]?.dataPoints[0]?.endTime ?? [0, 0];
    expect(timeMs).toBe(Math.round(seconds * 1e6 + nanoseconds / 1e3) / 1e3);
  });
});

describe('decodeRequest', () => {
  it('reads delta temporality', async () => {
    const { meter, collect } = createMeter({}, AggregationTemporality.DELTA);
    meter.createCounter('c').add(1);
    expect(decodeRequest(await serialized(collect))).toMatchObject([{ temporality: 'delta' }]);
  });

  it('keeps the order of points and their metrics', async () => {
    const { meter, collect } = createMeter();
    for (const name of ['a', 'b']) {
      for (const n of [1, 2]) meter.createGauge(name).record(n, { n });
    }
    const points = decodeRequest(await serialized(collect));
    expect(points.map(({ metric, value }) => `${metric}${value}`)).toEqual(['a1', 'a2', 'b1', 'b2']);
  });

  it('reads maps, bytes and null as JSON can hold them', async () => {
    const { meter, collect } = createMeter();
    const attributes = { map: { on: true, deep: [1, { x: 'y' }] }, none: null, bytes: Uint8Array.of(1, 2) };
    meter.createGauge('g').record(1, attributes as never);
    const [point] = decodeRequest(await serialized(collect));
    expect(point?.attributes).toEqual({
      map: '{"on":true,"deep":[1,{"x":"y"}]}',
      none: 'null',
      bytes: 'AQI=',
    });
  });

  it('reads an empty request as no points', () => {
    expect(decodeRequest(new Uint8Array())).toEqual([]);
  });

  it('reads what proto3 leaves out as its default, and a point without a value as NaN', () => {
    // resource_metrics { scope_metrics { metrics { name: "m" gauge { data_points {} } } } }
    const bytes = Uint8Array.from([10, 11, 18, 9, 18, 7, 10, 1, 109, 42, 2, 10, 0]);
    expect(decodeRequest(bytes)).toEqual([
      {
        metric: 'm',
        kind: 'gauge',
        unit: '',
        description: '',
        scope: '',
        resource: {},
        attributes: {},
        startTimeMs: 0,
        timeMs: 0,
        value: Number.NaN,
      },
    ]);
  });

  it('throws on what is not protobuf', () => {
    expect(() => decodeRequest(Uint8Array.from([10, 200, 1, 1]))).toThrow();
  });
});
