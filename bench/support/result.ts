import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import {
  type BenchmarkName,
  type BenchmarkResult,
  type Machine,
  measuredText,
  type Target,
} from '../../tools/generate/tables/performance.ts';
import { imageNodeVersion } from './image-node.ts';

export type Findings = Pick<BenchmarkResult, 'tables' | 'targets' | 'picture'>;

/** Processes that ran or waited for a processor in the minute before: whether the machine had other work. */
const loadAtStart = Number((loadavg()[0] ?? 0).toFixed(1));

/** Prints what was found and keeps it for the documents. */
export function publish(
  name: BenchmarkName,
  settings: BenchmarkResult['settings'],
  findings: Findings,
): void {
  const result: BenchmarkResult = {
    name,
    command: `npm run bench:${name}`,
    measuredOn: new Date().toISOString().slice(0, 10),
    machine: thisMachine(),
    settings,
    ...findings,
  };
  print(findings);
  const folder = new URL('../results/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(result, null, 2)}\n`);
}

export function print({ tables, targets }: Findings): void {
  for (const { title, columns, rows } of tables) {
    console.log(`\n${title}`);
    printColumns([columns, ...rows.map(({ label, cells }) => [label, ...cells.map(measuredText)])]);
  }
  if (targets.length > 0) console.log('');
  for (const target of targets) console.log(verdict(target));
}

const verdict = ({ what, unit, atMost, measured }: Target) =>
  `${measured <= atMost ? 'holds ' : 'MISSED'}  ${what}: ${measured} ${unit}, at most ${atMost}`;

function printColumns(lines: readonly (readonly string[])[]): void {
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0))) ?? [];
  for (const line of lines)
    console.log(
      line
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

function thisMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: release().replace(/-.*/, ''),
    node: imageNodeVersion(),
    load: loadAtStart,
  };
}
