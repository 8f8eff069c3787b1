import { readFileSync } from 'node:fs';
import { code, markdownTable } from '../markdown.ts';

/** The content of `bench/results/NAME.json`, from which the tables of the documentation are generated. */
export interface BenchmarkResult {
  readonly name: string;
  /** The command that repeats the measurement. */
  readonly command: string;
  /** Day of the measurement, `2026-11-21`. */
  readonly measuredOn: string;
  readonly machine: Machine;
  /** How long and how often, such as `seconds` and `rounds`. */
  readonly settings: Readonly<Record<string, number>>;
  readonly tables: readonly BenchmarkTable[];
  readonly targets: readonly Target[];
  readonly picture?: BenchmarkPicture;
}

/** Curves with a value for each second, one panel below the other. */
export interface BenchmarkPicture {
  readonly title: string;
  readonly seconds: number;
  /** A part of the time, in seconds from the start. */
  readonly marked: { readonly from: number; readonly to: number; readonly label: string };
  readonly panels: readonly {
    readonly title: string;
    readonly curves: readonly { readonly name: string; readonly values: readonly number[] }[];
  }[];
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** The load average of the minute before the measurement; above the number of cores, only ratios count. */
  readonly load: number;
}

export interface BenchmarkTable {
  readonly title: string;
  /** The first column has the names of the rows. */
  readonly columns: readonly string[];
  readonly rows: readonly { readonly label: string; readonly cells: readonly (Measured | null)[] }[];
}

/** The median of the measurements, and their range. */
export interface Measured {
  readonly unit: string;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** A target. `measured` is a median, or another quantile if the name says so. */
export interface Target {
  readonly what: string;
  readonly unit: string;
  readonly atMost: number;
  readonly measured: number;
}

/** Benchmarks in the order of the documentation. */
export const benchmarks = ['cost', 'latency', 'scale', 'herd', 'replay'] as const;
export type BenchmarkName = (typeof benchmarks)[number];

export function readResult(name: BenchmarkName): BenchmarkResult {
  return JSON.parse(readFileSync(new URL(`../../../bench/results/${name}.json`, import.meta.url), 'utf8'));
}

/** One section a benchmark, for docs/performance.md. */
export function performanceSections(results: readonly BenchmarkResult[]): Readonly<Record<string, string>> {
  return Object.fromEntries(results.map((result) => [`performance-${result.name}`, resultText(result)]));
}

/** The target and the measured value of each benchmark, for docs/performance.md. */
export function targetsTable(results: readonly BenchmarkResult[]): string {
  return markdownTable(
    ['What', 'Measured', 'Aim, at most', 'Command'],
    results.flatMap(({ targets, command }) =>
      targets.map((target) => [...targetCells(target), code(command)]),
    ),
  );
}

function resultText({ command, measuredOn, machine, settings, tables, targets }: BenchmarkResult): string {
  const { cpu, cores, memoryGb, kernel, node, load } = machine;
  const how = Object.entries(settings).map(([name, value]) => `${value} ${name}`);
  const where = `${cores} cores of ${cpu}, ${memoryGb} GB, Linux ${kernel}, Node ${node}, load average ${load} before`;
  return [
    `${code(command)}, ${[...how, measuredOn].join(', ')}; ${where}.`,
    ...tables.flatMap(({ title, columns, rows }) => [
      `${title}:`,
      markdownTable(
        columns,
        rows.map(({ label, cells }) => [label, ...cells.map(measuredText)]),
      ),
    ]),
    ...(targets.length === 0
      ? []
      : [markdownTable(['Target', 'Measured', 'Aim, at most'], targets.map(targetCells))]),
  ].join('\n\n');
}

function targetCells({ what, unit, atMost, measured }: Target): string[] {
  const verdict = measured <= atMost ? '' : ' (missed)';
  return [what, `${withUnit(measured, unit)}${verdict}`, withUnit(atMost, unit)];
}

/** The median, and the range if it is visible after rounding. */
export function measuredText(measured: Measured | null): string {
  if (measured === null) return '–';
  const { unit, median, low, high } = measured;
  const [middle, ...ends] = [median, low, high].map(figure);
  const spread = ends.some((end) => end !== middle) ? ` (${ends.join('–')})` : '';
  return `${middle}${unit === '' ? '' : ` ${unit}`}${spread}`;
}

const withUnit = (value: number, unit: string) => `${figure(value)}${unit === '' ? '' : ` ${unit}`}`;

/** Three significant digits, because the measurements are less precise; whole numbers are not rounded. */
function figure(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3;
  return Number(value.toFixed(digits)).toLocaleString('en-US', { maximumFractionDigits: digits });
}
