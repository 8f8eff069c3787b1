import { describe, expect, it } from 'vitest';
import { drawnSamples, emptyCurve, extendCurve, mostKept } from '../../../src/cli/terminal/curve.ts';
import {
  type DemoState,
  epochOf,
  initialState,
  latestPoint,
  observe,
  runState,
} from '../../../src/commands/demo/state.ts';
import { example } from './example.ts';

const stateAfter = (...requests: Parameters<typeof example>[0][]): DemoState =>
  requests.map(example).reduce(observe, initialState);

const losses = (state: DemoState) => state.curve.kept.map(({ value }) => value);

describe('observe', () => {
  it('keeps the latest of each metric', () => {
    const state = stateAfter({ n: 0 }, { n: 60, loss: 0.5 });
    expect(latestPoint(state, 'ml.training.loss')?.value).toBe(0.5);
    expect(epochOf(state)).toBe(2);
    expect(runState(state)).toBe('running');
    expect(state.requests).toBe(2);
  });

  it('leaves out what was refused', () => {
    const before = stateAfter({ n: 0 });
    expect(observe(before, example({ n: 1, reply: 'error' }))).toBe(before);
  });

  it('takes every loss of a request that was coalesced, and the latest values', () => {
    const requests = [0, 1, 2].map((n) => example({ n, loss: 3 - n }));
    const [last] = requests.slice(-1);
    const state = observe(initialState, {
      ...last,
      points: requests.flatMap(({ points }) => points),
    } as typeof last & object);
    expect(losses(state)).toEqual([3, 2, 1]);
    expect(latestPoint(state, 'ml.training.loss')?.value).toBe(1);
    expect(state.latest.get('ml.training.run.state')).toHaveLength(6);
  });

  it('takes a repeated export for no news', () => {
    const repeated = example({ n: 0, loss: 1 });
    const later = {
      ...repeated,
      points: repeated.points.map((point) => ({ ...point, timeMs: point.timeMs + 1 })),
    };
    expect(losses([repeated, later, repeated].reduce(observe, initialState))).toEqual([1]);
  });

  it.each([
    ['another job', { jobId: 'b' }],
    ['the same job, started again', { startTimeMs: 5000 }],
  ])('starts a new curve for %s', (_what, changed) => {
    const state = stateAfter({ n: 0, loss: 3 }, { n: 1, loss: 2 }, { n: 0, loss: 9, ...changed });
    expect(losses(state)).toEqual([9]);
  });

  it('forgets the values of a run that is over, and keeps those of the bridge', () => {
    const [old, next] = [example({ n: 5 }), example({ n: 0, jobId: 'b' })];
    const points = next.points.filter(
      ({ metric }) => metric !== 'ml.validation.loss' && !metric.startsWith('ml.bridge'),
    );
    const state = [old, { ...next, points }].reduce(observe, initialState);
    expect(state.latest.has('ml.validation.loss')).toBe(false);
    expect(latestPoint(state, 'ml.bridge.exports')?.value).toBe(6);
  });

  it('shows a NaN as the latest loss and keeps it off the curve', () => {
    const state = stateAfter({ n: 0, loss: 1 }, { n: 1, loss: Number.NaN });
    expect(latestPoint(state, 'ml.training.loss')?.value).toBeNaN();
    expect(losses(state)).toEqual([1]);
  });
});

describe('a curve', () => {
  const extended = (count: number) => {
    let curve = emptyCurve;
    for (let n = 1; n <= count; n++) curve = extendCurve(curve, { batch: n, epoch: undefined, value: n });
    return curve;
  };

  it.each([1, mostKept, mostKept + 1, 10_000, 123_457])('is bounded after %i samples, and even', (count) => {
    const { kept, latest, stride, seen } = extended(count);
    expect(kept.length).toBeLessThanOrEqual(mostKept);
    expect(kept.length).toBeGreaterThanOrEqual(Math.min(count, mostKept / 2));
    expect(kept.map(({ value }) => value)).toEqual(kept.map((_, index) => index * stride + 1));
    expect(latest?.value).toBe(count);
    expect(seen).toBe(count);
  });

  it('is drawn up to its latest sample, in no more columns than there are', () => {
    const drawn = drawnSamples(extended(10_000), 88);
    expect(drawn).toHaveLength(88);
    expect(drawn.at(-1)?.batch).toBe(10_000);
    const means = drawn.map(({ value }) => value);
    expect(means).toEqual(means.toSorted((one, other) => one - other));
  });

  it('is drawn sample by sample while it is short', () => {
    expect(drawnSamples(extended(3), 88).map(({ value }) => value)).toEqual([1, 2, 3]);
  });
});
