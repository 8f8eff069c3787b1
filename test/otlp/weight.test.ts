import { ProtobufMetricsSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { emptyResource, resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { metricsSignal } from '../../src/otlp/metrics-signal.ts';
import { weighMetrics, weighSpans } from '../../src/otlp/weight.ts';
import { SnapshotReader } from '../../src/telemetry/reader.ts';
import { collectAllGarbage } from '../support/expose-gc.ts';

const text = fc.string({ unit: 'binary', maxLength: 40 });
const name = fc
  .string({ unit: fc.constantFrom(...'abcxyz_.'), minLength: 1, maxLength: 60 })
  .map((it) => `m${it}`);
const attributes = fc.dictionary(
  name,
  fc.oneof(text, fc.double(), fc.boolean(), fc.array(text, { maxLength: 3 })),
  {
    maxKeys: 6,
  },
);
const instrument = fc.record({
  kind: fc.constantFrom('counter', 'gauge', 'histogram'),
  name,
  description: text,
  unit: fc.constantFrom('', 's', '{sample/s}'),
  points: fc.array(fc.record({ value: fc.double({ min: 0, max: 1e9, noNaN: true }), attributes }), {
    minLength: 1,
    maxLength: 5,
  }),
});

type Instrument = typeof instrument extends fc.Arbitrary<infer I> ? I : never;

/** What the SDK collects of instruments. */
async function collected(
  instruments: readonly Instrument[],
  resourceAttributes: Record<string, unknown>,
  histograms: 'explicit_bucket_histogram' | 'base2_exponential_bucket_histogram',
): Promise<ResourceMetrics> {
  const resource = resourceFromAttributes(resourceAttributes as Record<string, string>);
  const reader = new SnapshotReader(histograms);
  const meter = new MeterProvider({ resource, readers: [reader] }).getMeter('test', '1.2.3');
  for (const { kind, points, ...options } of instruments) {
    const { name: called, ...rest } = options;
    if (kind === 'histogram') {
      const histogram = meter.createHistogram(called, rest);
      for (const point of points) histogram.record(point.value, point.attributes as Record<string, string>);
    } else {
      const observable =
        kind === 'counter'
          ? meter.createObservableCounter(called, rest)
          : meter.createObservableGauge(called, rest);
      observable.addCallback((result) => {
        for (const point of points) result.observe(point.value, point.attributes as Record<string, string>);
      });
    }
  }
  return { resource, scopeMetrics: await reader.read() };
}

describe('the weight of metrics', () => {
  it.each(['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const)(
    'is no less than what they take, serialized: %s',
    async (histograms) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(instrument, { maxLength: 12 }),
          attributes,
          async (instruments, resource) => {
            const metrics = await collected(instruments, resource, histograms);
            const weight = weighMetrics(metrics);
            expect(ProtobufMetricsSerializer.serializeRequest(metrics)?.length).toBeLessThanOrEqual(weight);
          },
        ),
        { numRuns: 300 },
      );
    },
  );

  it('adds up to no less than what is sent of several together', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(instrument, { maxLength: 8 }), attributes, async (instruments, resource) => {
        const metrics = await collected(instruments, resource, 'explicit_bucket_histogram');
        const merged = metricsSignal.merge([metrics, metrics, metrics]);
        expect(ProtobufMetricsSerializer.serializeRequest(merged)?.length).toBeLessThanOrEqual(
          3 * weighMetrics(metrics),
        );
      }),
    );
  });

  it('is no less than what they take on the heap', async () => {
    const points = [1, 2].map((value) => ({
      value,
      attributes: { 'job.id': 'training-job-001', rank: value },
    }));
    const instruments = ['counter', 'gauge', 'histogram'].flatMap((kind) =>
      Array.from({ length: 10 }, (_, at) => ({
        kind,
        name: `${kind}_${at}`,
        description: 'Text',
        unit: 's',
        points,
      })),
    ) as Instrument[];
    const kept: ResourceMetrics[] = [];
    collectAllGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let count = 0; count < 200; count++)
      kept.push(
        await collected(instruments, { 'service.name': 'bridge' }, 'explicit_bucket_histogram').then(
          dataOnly,
        ),
      );
    collectAllGarbage();
    const used = process.memoryUsage().heapUsed - before;
    expect(used).toBeLessThan(kept.reduce((sum, metrics) => sum + weighMetrics(metrics), 0));
  });
});

/** A copy that shares nothing with the SDK. */
const dataOnly = ({ scopeMetrics }: ResourceMetrics): ResourceMetrics => ({
  resource: emptyResource(),
  scopeMetrics: structuredClone(scopeMetrics),
});

it('the weight of spans is no less than what they take, serialized', () => {
  const span = fc.record({
    name: text,
    attributes,
    events: fc.array(fc.record({ name: text, attributes }), { maxLength: 4 }),
  });
  fc.assert(
    fc.property(fc.array(span, { minLength: 1, maxLength: 8 }), (spans) => {
      const exporter = new InMemorySpanExporter();
      const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
      const tracer = provider.getTracer('test');
      for (const it of spans) {
        const begun = tracer.startSpan(it.name, { attributes: it.attributes as Record<string, string> });
        for (const event of it.events) begun.addEvent(event.name, event.attributes as Record<string, string>);
        begun.end();
      }
      const finished = exporter.getFinishedSpans();
      expect(finished).toHaveLength(spans.length);
      expect(ProtobufTraceSerializer.serializeRequest(finished)?.length).toBeLessThanOrEqual(
        weighSpans(finished),
      );
    }),
    { numRuns: 200 },
  );
});
