import type { BenchmarkTable, Measured } from '../../tools/generate/tables/performance.ts';
import { measured } from '../support/statistics.ts';

/** What one size cost, with Collectors that push. */
export interface SizeCost {
  readonly sidecars: number;
  readonly together: number;
  /** Milliseconds of CPU for a snapshot. */
  readonly collectorMs: number;
  readonly engineMs: number;
  /** Bytes. */
  readonly engineMemory: number;
}

/** Of a machine, and how much of it may be used. */
const machine = { cores: 16, bytes: 64e9, share: 0.7 };
/** From this size on, what an empty engine takes does not matter. */
const leastSidecars = 3_000;

/** Snapshots a second of one sidecar, and how many of them share a request. */
const settings = [
  { label: 'one snapshot in 10 s', rate: 0.1, together: 1 },
  { label: 'one a second, 5 together', rate: 1, together: 5 },
] as const;

/**
 * What many sidecars need, in proportion to what was measured. The range is that of the figures of all sizes. With
 * each snapshot alone, one size was measured; its figures are given the range of the others.
 */
export function planTable(costs: readonly SizeCost[]): BenchmarkTable {
  const spreadOf = (pick: (cost: SizeCost) => number, together: number): readonly number[] => {
    const five = costs.filter((cost) => cost.together === 5).map(pick);
    const [smallest] = five;
    const alone = costs.find((cost) => cost.together === 1);
    if (together === 5 || alone === undefined || smallest === undefined) return five;
    return five.map((value) => (pick(alone) * value) / smallest);
  };
  const bytes = costs
    .filter(({ sidecars }) => sidecars >= leastSidecars)
    .map(({ engineMemory, sidecars }) => engineMemory / sidecars);
  const scaled = (values: readonly number[], factor: number, unit = ''): Measured | null =>
    values.length === 0
      ? null
      : measured(
          values.map((value) => value * factor),
          unit,
        );

  const rows = [10_000, 100_000, 1_000_000].flatMap((sidecars) =>
    settings.map(({ label, rate, together }) => {
      const cores = (sidecars * rate) / 1_000;
      const usable = machine.cores * machine.share;
      const collector = spreadOf(({ collectorMs }) => collectorMs, together);
      const engine = spreadOf(({ engineMs }) => engineMs, together);
      return {
        label: `${sidecars.toLocaleString('en-US')}, ${label}`,
        cells: [
          measured([sidecars * rate]),
          scaled(collector, cores),
          scaled(collector, cores / usable),
          scaled(engine, cores),
          scaled(engine, cores / usable),
          scaled(bytes, sidecars / 1e9, 'GB'),
          scaled(bytes, sidecars / (machine.bytes * machine.share)),
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
      'Cores of the engine',
      'Machines for its CPU',
      'Memory of the engine',
      'Machines for its memory',
    ],
    rows,
  };
}
