import { expect, it } from 'vitest';
import { planTable, type SizeCost } from '../../bench/scale/plan.ts';

/** Of 1,000 snapshots a second: 0.2 ms, and 0.01 ms for each second since the last one of the sidecar. */
const cost = (sidecars: number, together: number, factor = 1): SizeCost => ({
  sidecars,
  together,
  snapshotsPerSecond: 1_000,
  collectorMs: 0.2,
  engineMs: (0.2 + sidecars / 100_000) * factor,
  engineMemory: sidecars * 100_000 * factor,
});
const sizes = [cost(1_000, 5), cost(3_000, 5), cost(10_000, 5), cost(50_000, 5)];
const alone = { ...cost(1_000, 1), collectorMs: 0.8, engineMs: 0.61 };

const cells = (label: string, ...plan: Parameters<typeof planTable>) =>
  planTable(...plan).rows.find((row) => row.label === label)?.cells;

it('calculates cores from the CPU of a snapshot at the interval of a sidecar', () => {
  expect(cells('100,000, one a second, 5 together', sizes)?.slice(0, 4)).toMatchObject([
    { median: 100_000 },
    { low: 20, median: 20, high: 20 },
    { median: 1.786 },
    { low: 21, median: 21, high: 21 },
  ]);
});

it('takes what is more for a snapshot that is sent alone from the one size with it', () => {
  const plan = cells('1,000,000, one snapshot in 10 s', [...sizes, alone]);
  expect(plan?.[1]).toMatchObject({ median: 80 });
  // 0.3 ms at ten seconds, and 0.4 ms more.
  expect(plan?.[3]).toMatchObject({ median: 70 });
});

it('gives the range of what was measured around the line', () => {
  const off = sizes.map((size, at) => ({ ...size, collectorMs: [0.2, 0.25, 0.15, 0.2][at] as number }));
  const { low = 0, high = 0 } = cells('100,000, one a second, 5 together', off)?.[1] ?? {};
  expect(low).toBeCloseTo(15, 0);
  expect(high).toBeCloseTo(25, 0);
});

it('counts machines for CPU or memory, whichever needs more', () => {
  // 0.3 ms for each of 100,000 snapshots are 30 cores of 11.2; 100 GB of 44.8.
  const slow = cells('1,000,000, one snapshot in 10 s', sizes);
  expect(slow?.slice(3, 6)).toMatchObject([{ median: 30 }, { median: 100, unit: 'GB' }, { median: 2.679 }]);
  const light = sizes.map((size) => ({ ...size, engineMs: size.engineMs / 10 }));
  expect(cells('1,000,000, one snapshot in 10 s', light)?.[5]).toMatchObject({ median: 2.232 });
});

it('multiplies by what Thanos needs beside Prometheus of the same size', () => {
  expect(cells('1,000,000, one snapshot in 10 s', sizes, cost(10_000, 5, 2))?.[6]).toMatchObject({
    median: 5.357,
  });
});

it('leaves out what was not measured', () => {
  const [row] = planTable([]).rows;
  expect(row?.cells.slice(1)).toEqual([null, null, null, null, null, null]);
});
