import { duration, formatNumber } from '../../cli/terminal/format.ts';
import type { ReplayPlan } from './plan.ts';
import type { RunTrace } from './run-spans.ts';
import type { Tally } from './tally.ts';

/** What was read, from when to when, and what was left out. */
export function summaryLines(
  { records, runs, leftOut }: ReplayPlan,
  tally: Tally,
  traces: readonly RunTrace[],
): readonly string[] {
  const { firstMs, lastMs } = tally;
  const moved = runs.reduce((sum, { placement }) => sum + placement.moved, 0);
  return [
    `${count(records, 'record')} of ${count(tally.runs, 'run')}, ${count(tally.series, 'time series', 'time series')}`,
    `from ${timeText(firstMs)} to ${timeText(lastMs)} (${duration(lastMs - firstMs)})`,
    ...(moved === 0
      ? []
      : [`${count(moved, 'record')} placed 1 ms after the one before, which has the same or a later time`]),
    ...traceLines(traces, tally.spans),
    ...section('Skipped:', tally.notes),
    ...section(
      'Left out:',
      leftOut.map(({ path, reason }) => `${path}: ${reason}`),
    ),
  ];
}

const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];

const maxTraces = 20;

function traceLines(traces: readonly RunTrace[], spans: number): readonly string[] {
  if (traces.length === 0) return [];
  const more = traces.length - maxTraces;
  return [
    `${count(spans, 'span')} of ${count(traces.length, 'traced run')}:`,
    ...traces.slice(0, maxTraces).map(({ traceId, jobId = '' }) => `  ${traceId} ${jobId}`.trimEnd()),
    ...(more > 0 ? [`  and ${formatNumber(more)} more`] : []),
  ];
}

/** How far a replay came, and how to go on. */
export function resumeText(done: number, records: number): string {
  const arrived = `${formatNumber(done)} of ${count(records, 'record')} arrived`;
  return `${arrived}. To go on, give the same arguments and --from ${done + 1}.`;
}

const timeText = (unixMs: number) => new Date(unixMs).toISOString();

const count = (number: number, noun: string, plural = `${noun}s`) =>
  `${formatNumber(number)} ${number === 1 ? noun : plural}`;
