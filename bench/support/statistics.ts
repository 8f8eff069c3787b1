import type { Measured } from '../../tools/generate/tables/performance.ts';

/**
 * Quantile by linear interpolation between the closest ranks (type 7 of Hyndman and Fan, as R and NumPy do).
 *
 * @param q 0 to 1
 * @returns NaN where there are no values
 */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const [below, above] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  if (below === undefined || above === undefined) return Number.NaN;
  return below + (above - below) * (rank - Math.floor(rank));
}

export const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Median and range of what was measured; the numbers are rounded to what is worth keeping in a file. */
export function measured(values: readonly number[], unit = ''): Measured {
  if (values.length === 0) throw new RangeError('nothing was measured');
  const [low, middle, high] = [0, 0.5, 1].map((q) => significant(quantile(values, q))) as [
    number,
    number,
    number,
  ];
  return { unit, median: middle, low, high, count: values.length };
}

/** Four significant digits: more would be noise, and a difference in every line of a committed file. */
export const significant = (value: number): number => Number(value.toPrecision(4));

/** What each pair makes of its two sides. Pairs see the same moment of the machine, so its noise mostly cancels out. */
export function ratios(ours: readonly number[], theirs: readonly number[]): readonly number[] {
  if (ours.length !== theirs.length) throw new RangeError('ratios need pairs');
  return ours.map((value, at) => value / (theirs[at] as number));
}

export interface Line {
  readonly at: (x: number) => number;
}

/** The straight line through points by least squares; level if all have the same x. */
export function fitLine(points: readonly (readonly [x: number, y: number])[]): Line {
  const meanX = sum(points.map(([x]) => x)) / points.length;
  const meanY = sum(points.map(([, y]) => y)) / points.length;
  const covariance = sum(points.map(([x, y]) => (x - meanX) * (y - meanY)));
  const variance = sum(points.map(([x]) => (x - meanX) ** 2));
  const slope = variance === 0 ? 0 : covariance / variance;
  return { at: (x) => meanY + slope * (x - meanX) };
}
