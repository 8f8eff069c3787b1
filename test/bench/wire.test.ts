import { expect, it } from 'vitest';
import { seriesOf } from '../../bench/support/wire.ts';

it.each([
  [{ kind: 'gauge' } as const, 1],
  [{ kind: 'sum' } as const, 1],
  [{ kind: 'exponential_histogram' } as const, 1],
  // Two bounds make three buckets, and there are sum and count.
  [{ kind: 'histogram', bounds: [1, 2] } as const, 5],
])('of a point %j Prometheus makes %i series', (point, series) => {
  expect(seriesOf(point)).toBe(series);
});
