import { ValueType } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AggregationTemporality, DataPointType, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Collection, coalesce, createBacklog } from '../../src/otlp/backlog.ts';

const resource = resourceFromAttributes({ 'service.name': 'test' });

function metricsOf(value: number, label = ''): ResourceMetrics {
  const descriptor = { name: 'loss', description: '', unit: '', valueType: ValueType.DOUBLE };
  const time: [number, number] = [1_700_000_000 + value, 0];
  const dataPoints = [{ startTime: time, endTime: time, attributes: { label }, value }];
  const metric = {
    descriptor,
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPointType: DataPointType.GAUGE,
    dataPoints,
  } as const;
  return { resource, scopeMetrics: [{ scope: { name: 'test' }, metrics: [metric] }] };
}
const snapshot = (value: number, label?: string): Collection => ({
  kind: 'snapshot',
  metrics: metricsOf(value, label),
});
const heartbeat = (value: number): Collection => ({ kind: 'heartbeat', metrics: metricsOf(value) });
const values = (collections: readonly Collection[]) =>
  collections.map(({ metrics }) => metrics.scopeMetrics[0]?.metrics[0]?.dataPoints[0]?.value);

describe('the backlog', () => {
  it('gives the oldest first, and keeps them until they are delivered', () => {
    const backlog = createBacklog(10);
    for (const value of [1, 2, 3]) backlog.push(snapshot(value));
    expect(values(backlog.lend('oldest'))).toEqual([1, 2, 3]);
    backlog.giveBack();
    const again = backlog.lend('oldest');
    expect(values(again)).toEqual([1, 2, 3]);
    backlog.push(snapshot(4));
    backlog.remove(again);
    expect(values(backlog.lend('oldest'))).toEqual([4]);
  });

  it('pushes out the oldest when it is full, and says so', () => {
    const backlog = createBacklog(2);
    expect([1, 2, 3, 4].map((value) => backlog.push(snapshot(value)))).toEqual([0, 0, 1, 1]);
    expect(values(backlog.lend('oldest'))).toEqual([3, 4]);
  });

  it('pushes out nothing that is under way', () => {
    const backlog = createBacklog(2);
    backlog.push(snapshot(1));
    const lent = backlog.lend('oldest');
    for (const value of [2, 3, 4]) backlog.push(snapshot(value));
    backlog.remove(lent);
    expect(values(backlog.lend('oldest'))).toEqual([3, 4]);
  });

  it('makes room again for what came in while all was under way, and says how much', () => {
    const backlog = createBacklog(3);
    let pushed = 0;
    let dropped = 0;
    for (let attempt = 0; attempt < 10; attempt++) {
      for (let turn = 0; turn < 3; turn++) dropped += backlog.push(snapshot(++pushed));
      backlog.lend('oldest');
      for (let turn = 0; turn < 3; turn++) dropped += backlog.push(snapshot(++pushed));
      dropped += backlog.giveBack();
      expect(backlog.size).toBeLessThanOrEqual(3);
    }
    expect(values(backlog.lend('oldest'))).toEqual([58, 59, 60]);
    expect(dropped).toBe(57);
  });

  it('keeps one heartbeat at most, however many attempts failed', () => {
    const backlog = createBacklog(10);
    backlog.push(snapshot(1));
    for (let turn = 2; turn < 8; turn++) {
      backlog.lend('oldest');
      backlog.push(heartbeat(turn));
      backlog.giveBack();
    }
    expect(values(backlog.lend('oldest'))).toEqual([1, 7]);
  });

  it('replaces a heartbeat that still waits, and only that', () => {
    const backlog = createBacklog(10);
    backlog.push(snapshot(1));
    backlog.push(heartbeat(2));
    backlog.push(heartbeat(3));
    backlog.push(snapshot(4));
    expect(values(backlog.lend('oldest'))).toEqual([1, 4]);
  });

  it('lends as many as fit one request, from either end', () => {
    const backlog = createBacklog(10, 1000);
    for (const value of [1, 2, 3, 4]) backlog.push(snapshot(value, 'x'.repeat(350)));
    expect(values(backlog.lend('oldest'))).toEqual([1, 2]);
    expect(values(backlog.lend('newest'))).toEqual([3, 4]);
  });

  it('lends one that is too large for any request, so that it is refused and not in the way for ever', () => {
    const backlog = createBacklog(10, 100);
    backlog.push(snapshot(1, 'x'.repeat(500)));
    backlog.push(snapshot(2));
    expect(values(backlog.lend('oldest'))).toEqual([1]);
  });

  it('loses nothing but what it says, in order, whatever is pushed and delivered', () => {
    const action = fc.constantFrom('snapshot', 'heartbeat', 'deliver', 'fail');
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), fc.integer({ min: 1, max: 8 }), (actions, limit) => {
        const backlog = createBacklog(limit);
        const delivered: number[] = [];
        let [pushed, dropped] = [0, 0];
        for (const it of actions) {
          if (it === 'snapshot') dropped += backlog.push(snapshot(++pushed));
          else if (it === 'heartbeat') dropped += backlog.push(heartbeat(0));
          else {
            const lent = backlog.lend('oldest');
            if (it === 'fail') backlog.giveBack();
            else {
              delivered.push(...(values(lent) as number[]).filter((value) => value > 0));
              backlog.remove(lent);
            }
          }
          expect(backlog.size).toBeLessThanOrEqual(limit);
        }
        const rest = (values(backlog.lend('oldest')) as number[]).filter((value) => value > 0);
        const all = [...delivered, ...rest];
        expect(all).toEqual(all.toSorted((a, b) => a - b));
        expect(pushed - all.length).toBeLessThanOrEqual(dropped);
      }),
      { numRuns: 500 },
    );
  });
});

describe('coalescing', () => {
  it('keeps each collection’s points and times under one resource', () => {
    const merged = coalesce([snapshot(1), snapshot(2)]);
    expect(merged.resource).toBe(resource);
    expect(merged.scopeMetrics.map(({ metrics }) => metrics[0]?.dataPoints[0]?.endTime[0])).toEqual([
      1_700_000_001, 1_700_000_002,
    ]);
  });
});
