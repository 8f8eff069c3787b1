import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { emptyResource } from '@opentelemetry/resources';
import { MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { expect, it } from 'vitest';
import { decodeRequest } from '../../src/commands/demo/receiver/codec.ts';
import { groupBy } from '../../src/common/group-by.ts';
import { mergeScopeMetrics } from '../../src/otlp/merge-metrics.ts';
import { metricsRequest } from '../../src/otlp/metrics-signal.ts';
import { metricsEncoding } from '../../src/otlp/queue/encoding.ts';
import { SnapshotReader } from '../../src/telemetry/reader.ts';
import { stamp } from '../../src/telemetry/stamp.ts';

const aggregations = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const;
const resource = emptyResource();
const startMs = 1_700_000_000_000;

/** A counter, a gauge that is only now and then observed, and a histogram; `seconds` is also the value. */
function setUp(histograms: (typeof aggregations)[number], version = '1') {
  const reader = new SnapshotReader(histograms);
  const meter = new MeterProvider({ resource, readers: [reader] }).getMeter('test', version);
  let value = 0;
  meter.createObservableCounter('batches').addCallback((result) => result.observe(value, { job: 'a' }));
  meter.createObservableGauge('loss', { description: 'of the batch' }).addCallback((result) => {
    if (value % 2 === 1) result.observe(value, { job: 'a' });
  });
  const histogram = meter.createHistogram('duration', { unit: 'ms' });
  return async (seconds: number): Promise<ResourceMetrics> => {
    value = seconds;
    histogram.record(seconds, { job: 'a' });
    return {
      resource,
      scopeMetrics: stamp(await reader.read(), startMs + seconds * 1000, startMs),
    };
  };
}

/** As another bridge reads it from the queue folder: equal, but no object is the same. */
function throughDisk(snapshot: ResourceMetrics): ResourceMetrics {
  const read = metricsEncoding.decode(metricsEncoding.encode(metricsRequest('snapshot', snapshot)));
  if (read === undefined) throw new Error('not a request');
  return read.data;
}

/** The points that a receiver finds, by metric. */
function received(snapshots: readonly ResourceMetrics[]) {
  const points = snapshots.flatMap((snapshot) =>
    decodeRequest(ProtobufMetricsSerializer.serializeRequest(snapshot) ?? new Uint8Array()),
  );
  return Object.fromEntries(groupBy(points, ({ metric }) => metric));
}

const namesIn = (scopes: ReturnType<typeof mergeScopeMetrics>) =>
  scopes.map(({ metrics }) => metrics.map(({ descriptor }) => descriptor.name).sort());

it.each(aggregations)(
  'each metric stands once, its points in order, none changed: %s',
  async (histograms) => {
    const collect = setUp(histograms);
    const snapshots = [await collect(2), await collect(3), throughDisk(await collect(4)), await collect(5)];
    const scopeMetrics = mergeScopeMetrics(snapshots);
    expect(namesIn(scopeMetrics)).toEqual([['batches', 'duration', 'loss']]);
    const merged = received([{ resource, scopeMetrics }]);
    expect(merged).toEqual(received(snapshots));
    expect(merged.loss?.map(({ timeMs, value }) => [timeMs, value])).toEqual([
      [startMs + 3000, 3],
      [startMs + 5000, 5],
    ]);
  },
);

it('metrics that differ in more than their points stay apart', async () => {
  const [explicit, exponential] = aggregations;
  const snapshots = [await setUp(explicit)(1), await setUp(exponential)(2), await setUp(explicit, '2')(3)];
  expect(namesIn(mergeScopeMetrics(snapshots))).toEqual([
    ['batches', 'duration', 'duration', 'loss'],
    ['batches', 'duration', 'loss'],
  ]);
});
