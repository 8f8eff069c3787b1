import { expect, it } from 'vitest';
import { chart } from '../../../src/cli/terminal/chart.ts';
import { emptyCurve, extendCurve, type Sample } from '../../../src/cli/terminal/curve.ts';
import { plainText } from '../../../src/cli/terminal/line.ts';

/** The chart's rows of six, with their labels as numbers. */
function drawn(samples: readonly Pick<Sample, 'value' | 'companion'>[]) {
  const curve = samples.reduce(
    (sum, sample) => extendCurve(sum, { batch: undefined, epoch: 1, ...sample }),
    emptyCurve,
  );
  const rows = chart(curve, 40, 6).slice(0, -1).map(plainText);
  return {
    labels: rows.map((row) => Number(row.split('┤')[0])),
    cells: rows.map((row) => row.split('┤')[1]),
  };
}

it('draws a single value', () => {
  expect(drawn([{ value: 0.5 }]).cells.join('')).toBe('─');
  expect(drawn([{ value: 1, companion: 2 }]).cells.filter((row) => row !== '')).toEqual(['─', '─']);
});

it.each([0.003, -0.003, 250, 0])('draws the constant %s in the middle, with levels near it', (value) => {
  const { labels, cells } = drawn([{ value }, { value }, { value }]);
  expect(cells).toEqual(['', '', '──', '', '']);
  expect(labels[2]).toBeCloseTo(value);
  expect(Math.abs((labels[0] ?? 0) - (labels[4] ?? 0))).toBeLessThanOrEqual(Math.abs(value) / 9 || 1);
});
