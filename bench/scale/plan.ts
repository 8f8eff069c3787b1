import type { BenchmarkTable, Measured } from '../../tools/generate/tables/performance.ts';
import { fitLine, measured, median } from '../support/statistics.ts';

/** What one size cost, with Collectors that push. */
export interface SizeCost {
  readonly sidecars: number;
  readonly together: number;
  readonly snapshotsPerSecond: number;
  /** Milliseconds of CPU for a snapshot. */
  readonly collectorMs: number;
  readonly engineMs: number;
  /** Bytes. */
  readonly engineMemory: number;
}

/** Of a machine, and how much of it may be used. */
const machine = { cores: 16, bytes: 64e9, share: 0.7 };
const usableCores = machine.cores * machine.share;
const usableBytes = machine.bytes * machine.share;
/** From this size on, what an empty engine takes does not matter. */
const leastSidecars = 3_000;

/** Seconds from one snapshot of a sidecar to its next, and how many share a request. */
const settings = [
  { label: 'one snapshot in 10 s', interval: 10, together: 1 },
  { label: 'one a second, 5 together', interval: 1, together: 5 },
] as const;

type Setting = (typeof settings)[number];
type CpuOf = (cost: SizeCost) => number;

const intervalOf = ({ sidecars, snapshotsPerSecond }: SizeCost) => sidecars / snapshotsPerSecond;

/**
 * Milliseconds of CPU for a snapshot: the longer ago the last one of its sidecar is, the more, as a straight line through
 * what was measured with five in a request. One for each size, by which it was above or below the line. With each snapshot
 * alone, one size was measured: its line is parallel.
 */
function snapshotCost(costs: readonly SizeCost[], { interval, together }: Setting, cpu: CpuOf): number[] {
  const five = costs.filter((cost) => cost.together === 5);
  const alone = costs.find((cost) => cost.together === 1);
  if (five.length < 2) return [];
  const line = fitLine(five.map((cost) => [intervalOf(cost), cpu(cost)]));
  const deviations = five.map((cost) => cpu(cost) / line.at(intervalOf(cost)));
  const shift = together === 1 && alone !== undefined ? cpu(alone) - line.at(intervalOf(alone)) : 0;
  return deviations.map((deviation) => (line.at(interval) + shift) * deviation);
}

const largerOf = (one: readonly number[], other: readonly number[]) =>
  median(one) > median(other) ? one : other;

const times = (values: readonly number[], factor: number) => values.map((value) => value * factor);

const cell = (values: readonly number[], unit = ''): Measured | null =>
  values.length === 0 ? null : measured(values, unit);

/**
 * What many sidecars need, from what was measured with some.
 *
 * @param thanos what Thanos cost with as many sidecars as one of `costs`
 */
export function planTable(costs: readonly SizeCost[], thanos?: SizeCost): BenchmarkTable {
  const bytes = costs
    .filter(({ sidecars }) => sidecars >= leastSidecars)
    .map(({ engineMemory, sidecars }) => engineMemory / sidecars);
  const beside = costs.find(
    ({ sidecars, together }) => sidecars === thanos?.sidecars && together === thanos.together,
  );
  const dearer = (pick: CpuOf) => (thanos && beside ? pick(thanos) / pick(beside) : Number.NaN);

  const rows = [10_000, 100_000, 1_000_000].flatMap((sidecars) =>
    settings.map((setting) => {
      const perSecond = sidecars / setting.interval;
      const collector = times(
        snapshotCost(costs, setting, ({ collectorMs }) => collectorMs),
        perSecond / 1_000,
      );
      const engine = times(
        snapshotCost(costs, setting, ({ engineMs }) => engineMs),
        perSecond / 1_000,
      );
      const memory = times(bytes, sidecars);
      const machines = (cpuFactor: number, memoryFactor: number) =>
        largerOf(times(engine, cpuFactor / usableCores), times(memory, memoryFactor / usableBytes));
      const factors = [
        dearer(({ engineMs }) => engineMs),
        dearer(({ engineMemory }) => engineMemory),
      ] as const;
      return {
        label: `${sidecars.toLocaleString('en-US')}, ${setting.label}`,
        cells: [
          measured([perSecond]),
          cell(collector),
          cell(times(collector, 1 / usableCores)),
          cell(engine),
          cell(times(memory, 1e-9), 'GB'),
          cell(machines(1, 1)),
          beside === undefined ? null : cell(machines(...factors)),
        ],
      };
    }),
  );
  return {
    title: 'Calculated from these figures, with machines of 16 cores and 64 GB of which 70 % are used',
    columns: [
      'Sidecars',
      'Snapshots per second',
      'Cores of the Collectors',
      'Machines for them',
      'Cores of Prometheus',
      'Memory of Prometheus',
      'Machines of this size for it',
      'Machines for Thanos with three copies',
    ],
    rows,
  };
}
