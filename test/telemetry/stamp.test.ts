import { ValueType } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import { MeterProvider, type ScopeMetrics } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SnapshotReader } from '../../src/telemetry/reader.ts';
import { stamp } from '../../src/telemetry/stamp.ts';

const histograms = ['explicit_bucket_histogram', 'base2_exponential_bucket_histogram'] as const;

/** A counter, a gauge and a histogram. */
function setUp(aggregation: (typeof histograms)[number] = 'explicit_bucket_histogram') {
  const reader = new SnapshotReader(aggregation);
  const meter = new MeterProvider({ resource: emptyResource(), readers: [reader] }).getMeter('test');
  let value = 0;
  for (const instrument of [meter.createObservableCounter('counter'), meter.createObservableGauge('gauge')])
    instrument.addCallback((result) => result.observe(value, { job: 'a' }));
  const histogram = meter.createHistogram('histogram', { valueType: ValueType.DOUBLE });
  return async (next: number) => {
    value = next;
    histogram.record(next, { job: 'a' });
    return reader.read();
  };
}

const pointsOf = (metrics: readonly ScopeMetrics[]) =>
  metrics.flatMap((scope) => scope.metrics.flatMap(({ dataPoints }) => [...dataPoints]));
const msOf = ([seconds, nanoseconds]: readonly [number, number]) => seconds * 1000 + nanoseconds / 1e6;

describe('every point', () => {
  it('has the times it is given, and starts no later than it is', async () => {
    const metrics = await setUp()(1);
    const unixMs = fc.double({ min: 1e12, max: 4e12, noNaN: true });
    fc.assert(
      fc.property(unixMs, unixMs, (time, start) => {
        const points = pointsOf(stamp(metrics, time, start));
        expect(points).toHaveLength(3);
        for (const { startTime, endTime } of points) {
          expect(msOf(endTime)).toBeCloseTo(time, 2);
          expect(msOf(startTime)).toBeCloseTo(Math.min(start, time), 2);
          expect(msOf(startTime)).toBeLessThanOrEqual(msOf(endTime));
        }
      }),
    );
  });

  it('keeps all else', async () => {
    const metrics = await setUp()(1);
    const withoutTimes = (points: ReturnType<typeof pointsOf>) =>
      points.map(({ attributes, value }) => ({ attributes, value }));
    const stamped = stamp(metrics, 2, 1);
    expect(withoutTimes(pointsOf(stamped))).toEqual(withoutTimes(pointsOf(metrics)));
    expect(stamped.map(({ scope }) => scope)).toEqual(metrics.map(({ scope }) => scope));
  });
});

it.each(histograms)('what waits is not changed by what is recorded later: %s', async (aggregation) => {
  const collect = setUp(aggregation);
  const first = stamp(await collect(1), 1, 0);
  const before = JSON.stringify(first);
  for (const value of [2, 3, 4, 1_000]) await collect(value);
  expect(JSON.stringify(first)).toBe(before);
});
