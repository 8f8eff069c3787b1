import { code, markdownTable } from '../markdown.ts';
import { type BenchmarkName, type BenchmarkResult, measuredText } from './performance.ts';

interface Cost {
  readonly what: string;
  readonly benchmark: BenchmarkName;
  /** Position of the figure in the tables of the benchmark. */
  readonly table: string;
  readonly row: string;
  readonly column: string;
}

/** The costs of the bridge, for the README. */
export const costs: readonly Cost[] = [
  {
    what: 'Memory of the container (working set)',
    benchmark: 'cost',
    table: 'Working set, as `docker stats` shows it',
    row: 'the bridge in a container',
    column: 'Memory',
  },
  {
    what: 'CPU of one core, at one snapshot per second',
    benchmark: 'cost',
    table: '1 snapshot a second',
    row: 'the bridge',
    column: 'CPU of a core',
  },
  {
    what: 'Network, per snapshot, at one snapshot per second, gzip',
    benchmark: 'cost',
    table: '1 snapshot a second',
    row: 'the bridge',
    column: 'Bytes per snapshot',
  },
  {
    what: 'Time series in Prometheus, per training pod',
    benchmark: 'latency',
    table: 'One export',
    row: 'nothing new',
    column: 'Series',
  },
  {
    what: 'Image, uncompressed',
    benchmark: 'cost',
    table: 'Size of the image',
    row: 'the image, Node in it',
    column: 'Size',
  },
];

/** One row per cost. Throws if a benchmark no longer has the figure. */
export function costsTable(results: readonly BenchmarkResult[]): string {
  return markdownTable(
    ['Cost', 'Measured', 'Command'],
    costs.map((cost) => {
      const { command, tables } = resultOf(cost, results);
      return [cost.what, measuredText(measuredIn(cost, tables)), code(command)];
    }),
  );
}

function resultOf({ benchmark }: Cost, results: readonly BenchmarkResult[]): BenchmarkResult {
  const result = results.find(({ name }) => name === benchmark);
  if (result === undefined) throw new Error(`there is no result of the benchmark ${benchmark}`);
  return result;
}

function measuredIn({ table, row, column }: Cost, tables: BenchmarkResult['tables']) {
  const found = tables.find(({ title }) => title === table);
  const cells = found?.rows.find(({ label }) => label === row)?.cells;
  // The first column has the names of the rows.
  const measured = cells?.[(found?.columns.indexOf(column) ?? 0) - 1];
  if (measured === undefined) throw new Error(`no benchmark has "${table}", "${row}", "${column}"`);
  return measured;
}
