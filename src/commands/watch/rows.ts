import { type runStates, trainingMetrics } from '../../catalogue/metrics.ts';
import { duration, formatNumber, formatPercent, formatProgress } from '../../cli/terminal/format.ts';
import {
  clip,
  type Line,
  type Span,
  span,
  spread,
  type Tone,
  textOf,
  widthOf,
} from '../../cli/terminal/line.ts';
import type { Size } from '../../cli/terminal/screen.ts';
import { estimatedRemainingMs, progressOf } from '../../run/estimate.ts';
import type { Run } from '../../run/run.ts';
import type { ShownEvent } from './events.ts';
import type { WatchState } from './state.ts';

type State = (typeof runStates)[number];

const tones: Readonly<Record<State, Tone>> = {
  waiting: 'faint',
  running: 'good',
  stalled: 'warning',
  completed: 'good',
  failed: 'bad',
  ended: 'faint',
};

export const stateSpan = ({ run, problem }: WatchState): Span => {
  if (run === undefined)
    return problem === undefined ? span('faint', '● waiting') : span('bad', '● not read');
  return span(tones[run.state], `● ${run.state}`);
};

/** Text of a file may contain characters that control the terminal. */
export const printable = (text: string): string => text.replaceAll(/\p{C}/gu, '\uFFFD');

/** The name of a run: its job and its rank, else its file. */
export function nameOf({ run, path }: WatchState): string {
  const { identity, labels } = run ?? {};
  const rank = labels?.rank === undefined ? [] : [`rank ${labels.rank}`];
  const job = identity?.jobId === undefined ? [] : [identity.jobId];
  const parts = [...job, ...rank];
  return printable(parts.length === 0 ? path : parts.join(' '));
}

const isNamed = ({ run }: WatchState) => run?.identity.jobId !== undefined || run?.labels.rank !== undefined;

/** A name of at most so many columns. Of a path the end is kept, in which paths differ. */
function fittedName(state: WatchState, columns: number): string {
  const name = nameOf(state);
  if (isNamed(state) || widthOf([name]) <= columns) return clip([name], columns).map(textOf).join('');
  let tail = [...name];
  while (tail.length > 0 && widthOf([tail.join('')]) > columns - 1) tail = tail.slice(1);
  return `…${tail.join('')}`;
}

/** Where a row is narrow, the path and the age are left out first, so that the name and the state remain. */
export function titleRow(state: WatchState, columns: number): Line {
  const { path, fileAgeMs } = state;
  const age = fileAgeMs === undefined ? '' : `written ${duration(fileAgeMs)} ago   `;
  const name: Line = [' ', span('strong', nameOf(state))];
  const full: Line = isNamed(state) ? [...name, span('faint', `   ${printable(path)}`)] : name;
  const withAge = [span('faint', age), stateSpan(state)];
  const room = (right: Line) => columns - widthOf(right) - 3;
  const right = room(withAge) < Math.min(leastName, widthOf(name)) ? [stateSpan(state)] : withAge;
  const fitted: Line = [' ', span('strong', fittedName(state, Math.max(1, room(right) - 1)))];
  const left = widthOf(full) <= room(right) ? full : fitted;
  return spread(left, right, columns - 1);
}

/** The columns of a name that are worth more than the age of the file. */
const leastName = 24;

/** What the run does now: the problem with the file, or its epoch, step and progress. */
export function progressRow({ run, problem }: WatchState, columns: number): Line {
  if (problem !== undefined) return [' ', span('bad', printable(problem))];
  if (run === undefined) return [];
  const place = placeOf(run);
  const share = progressOf(run);
  if (share === undefined) return [' ', place];
  const text = ` ${formatProgress(share, estimatedRemainingMs(run))}`;
  const room = columns - 1 - widthOf([place, text]) - 4;
  return [' ', place, '  ', ...(room < 10 ? [] : bar(share, Math.min(room, 60))), text];
}

export function placeOf({ latest, progress }: Run): string {
  const {
    epoch,
    total_epochs: epochs,
    global_step: step,
    total_steps: steps,
    batch_number: batch,
  } = latest.values;
  const of = (total: number | undefined) => (total === undefined ? '' : ` of ${formatNumber(total)}`);
  const parts = [
    epoch === undefined ? undefined : `epoch ${formatNumber(epoch)}${of(epochs)}`,
    step !== undefined ? `step ${formatNumber(step)}${of(steps)}` : undefined,
    step === undefined && batch !== undefined
      ? `batch ${formatNumber(batch)}${of(latest.values.batches_per_epoch)}`
      : undefined,
  ].filter((part) => part !== undefined);
  return parts.length === 0 && progress.batches !== undefined
    ? `step ${formatNumber(progress.batches)}`
    : parts.join(', ');
}

function bar(share: number, width: number): readonly Span[] {
  const full = Math.floor(share * width);
  return [span('good', '█'.repeat(full)), span('faint', '░'.repeat(width - full))];
}

const order: readonly string[] = trainingMetrics.map(({ field }) => field);
/** These are in the row of progress. */
const hidden = ['total_epochs', 'batches_per_epoch', 'total_steps'];

/** The fields to show and to choose from: those of the catalogue first, then the others by name. */
export function fieldsOf({ values }: Pick<WatchState, 'values'>): readonly string[] {
  const rank = (field: string) => (order.includes(field) ? order.indexOf(field) : order.length);
  return [...values.keys()]
    .filter((field) => !hidden.includes(field))
    .sort((one, other) => rank(one) - rank(other) || (one < other ? -1 : 1));
}

const cellWidth = 39;
const nameWidth = 19;
const valueWidth = 10;

/**
 * Every number with its change, in as many columns as there is room for. If there are more than fit, those around the chosen
 * one, and how many there are.
 */
export function numberRows(state: WatchState, field: string, size: Size): readonly Line[] {
  const fields = fieldsOf(state);
  const across = Math.max(1, Math.floor((size.columns - 1) / cellWidth));
  if (Math.ceil(fields.length / across) <= size.rows) return gridOf(state, fields, field, across);
  const most = across * Math.max(1, size.rows - 1);
  const first = Math.floor(Math.max(0, fields.indexOf(field)) / most) * most;
  const shown = fields.slice(first, first + most);
  const note = `  ${first + 1}–${first + shown.length} of ${fields.length} numbers`;
  return [...gridOf(state, shown, field, across), [span('faint', note)]];
}

function gridOf(
  state: WatchState,
  fields: readonly string[],
  chosen: string,
  across: number,
): readonly Line[] {
  const rows = Math.ceil(fields.length / across);
  return Array.from({ length: rows }, (_, row) =>
    fields.filter((_, index) => index % rows === row).flatMap((it) => numberCell(state, it, it === chosen)),
  );
}

function numberCell({ values, previous }: WatchState, field: string, isChosen: boolean): Line {
  const value = values.get(field) ?? Number.NaN;
  const before = previous.get(field);
  const name = clipped(printable(field), nameWidth);
  const text = formatNumber(value).padStart(valueWidth);
  const change = before === undefined || before === value ? '' : changeOf(value - before);
  return [
    isChosen ? span('curve', ' ▸') : '  ',
    isChosen ? span('strong', name) : name,
    Number.isFinite(value) ? text : span('bad', text),
    span('faint', change.padEnd(cellWidth - 2 - nameWidth - valueWidth)),
  ];
}

const clipped = (text: string, width: number) => {
  const line = clip([text], width - 1);
  return (
    line.map((it) => (typeof it === 'string' ? it : it.text)).join('') + ' '.repeat(width - widthOf(line))
  );
};

/** Three digits are enough to see a trend. */
function changeOf(difference: number): string {
  if (!Number.isFinite(difference)) return '';
  const size = Math.abs(difference);
  const digits =
    size >= 1000 || size < 0.001 ? size.toExponential(0) : Number(size.toPrecision(2)).toString();
  return ` ${difference > 0 ? '▲' : '▼'}${digits}`.slice(0, 8);
}

/** Events with their times in UTC, and with the date where it is not that of the last one. */
export function eventRows(events: readonly ShownEvent[]): readonly Line[] {
  const today = dateOf(events.at(-1)?.unixMs ?? 0);
  return events.map(({ unixMs, tone, text }) => [
    ' ',
    span('faint', `${timeText(unixMs, dateOf(unixMs) === today)}  `),
    span(tone, printable(text)),
  ]);
}

const dateOf = (unixMs: number) => new Date(unixMs).toISOString().slice(0, 10);
const timeText = (unixMs: number, isToday: boolean) =>
  `${new Date(unixMs)
    .toISOString()
    .slice(isToday ? 11 : 0, 19)
    .replace('T', ' ')}Z`;

const levels = '▁▂▃▄▅▆▇█';

/** One row for one of many files: its state, its place, the chosen number and its curve. */
export function fileRow(state: WatchState, field: string, columns: number, isChosen: boolean): Line {
  const { run, values, curves, problem } = state;
  const share = run && progressOf(run);
  const value = values.get(field);
  const name = clipped(fittedName(state, 23), 24);
  const left: Line = [
    isChosen ? span('curve', '▸') : ' ',
    isChosen ? span('strong', name) : name,
    padded(stateSpan(state), 12),
  ];
  if (problem !== undefined) return clip([...left, span('bad', printable(problem))], columns);
  const row: Line = [
    ...left,
    (share === undefined ? '' : formatPercent(share)).padStart(8),
    (run?.progress.batches === undefined ? '' : formatNumber(run.progress.batches)).padStart(10),
    value === undefined || Number.isFinite(value)
      ? (value === undefined ? '–' : formatNumber(value)).padStart(11)
      : span('bad', formatNumber(value).padStart(11)),
    '  ',
  ];
  const samples = (curves.get(field)?.kept ?? []).map((sample) => sample.value);
  return [...row, span('curve', sparkline(samples.slice(-Math.max(0, columns - widthOf(row) - 1))))];
}

/** The heading of `fileRow`. `name` is above the names. */
export const fileHeading = (field: string, name: string): Line => [
  span(
    'faint',
    ` ${name.padEnd(24)}${'state'.padEnd(12)}${'progress'.padStart(8)}${'step'.padStart(10)}  ${field}`,
  ),
];

const padded = (piece: Span, width: number): Span => {
  const text = typeof piece === 'string' ? piece : piece.text;
  return typeof piece === 'string' ? text.padEnd(width) : { ...piece, text: text.padEnd(width) };
};

function sparkline(values: readonly number[]): string {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const range = highest - lowest || 1;
  return values.map((value) => levels[Math.round(((value - lowest) / range) * (levels.length - 1))]).join('');
}
