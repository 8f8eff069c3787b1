import { expect, it } from 'vitest';
import { measured, median, quantile, ratios } from '../../bench/support/statistics.ts';

it.each([
  [[3, 1, 2], 0.5, 2],
  [[4, 1, 3, 2], 0.5, 2.5],
  [[4, 1, 3, 2], 0, 1],
  [[4, 1, 3, 2], 1, 4],
  [[0, 100], 0.99, 99],
  [[7], 0.99, 7],
  // As strings, 10 would come before 9.
  [[10, 9, 8], 1, 10],
])('of %j the quantile %f is %f', (values, q, expected) => {
  expect(quantile(values, q)).toBeCloseTo(expected);
});

it('has no quantile of nothing', () => {
  expect(median([])).toBeNaN();
  expect(() => measured([])).toThrow(RangeError);
});

it('keeps median, range and count, to four digits', () => {
  expect(measured([1.23456, 2.34567, 9.87654], 'ms')).toEqual({
    unit: 'ms',
    median: 2.346,
    low: 1.235,
    high: 9.877,
    count: 3,
  });
});

it('takes ratios pair by pair', () => {
  expect(ratios([2, 30], [1, 10])).toEqual([2, 3]);
  expect(() => ratios([1, 2], [1])).toThrow(RangeError);
});
