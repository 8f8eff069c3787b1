import { expect, it } from 'vitest';
import { planTable, type SizeCost } from '../../bench/scale/plan.ts';

const cost = (sidecars: number, together: number, collectorMs: number): SizeCost => ({
  sidecars,
  together,
  collectorMs,
  engineMs: 2 * collectorMs,
  engineMemory: sidecars * 100_000,
});

const table = planTable([cost(1_000, 1, 1), cost(1_000, 5, 0.2), cost(10_000, 5, 0.3), cost(50_000, 5, 0.4)]);
const cells = (label: string) => table.rows.find((row) => row.label === label)?.cells;

it('calculates cores from the CPU of a snapshot, with the range of the sizes', () => {
  expect(cells('100,000, one a second, 5 together')?.slice(0, 4)).toMatchObject([
    { median: 100_000 },
    { low: 20, median: 30, high: 40 },
    { low: 1.786, median: 2.679, high: 3.571 },
    { low: 40, median: 60, high: 80 },
  ]);
});

it('gives snapshots that are sent alone the range of the others', () => {
  expect(cells('1,000,000, one snapshot in 10 s')?.[1]).toMatchObject({ low: 100, median: 150, high: 200 });
});

it('calculates memory from the larger sizes', () => {
  expect(cells('1,000,000, one snapshot in 10 s')?.slice(5)).toMatchObject([
    { median: 100, unit: 'GB' },
    { median: 2.232 },
  ]);
});

it('leaves out what was not measured', () => {
  const [row] = planTable([]).rows;
  expect(row?.cells.slice(1)).toEqual([null, null, null, null, null, null]);
});
