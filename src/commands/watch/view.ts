import { chart } from '../../cli/terminal/chart.ts';
import { emptyCurve } from '../../cli/terminal/curve.ts';
import { clip, type Line, span, widthOf } from '../../cli/terminal/line.ts';
import type { Size } from '../../cli/terminal/screen.ts';
import { eventRow, fieldsOf, fileHeading, fileRow, numberRows, progressRow, titleRow } from './rows.ts';
import type { WatchState } from './state.ts';

/** What the reader has chosen. */
export interface Choice {
  /** Index of a file. */
  readonly file: number;
  /** The number whose curve is drawn; undefined for the first that a file has. */
  readonly field: string | undefined;
}

/** The fewest rows for a curve, including the row of epochs. */
const leastCurve = 5;
/** The fewest columns for a file beside another. */
const leastPanel = 60;
const maxEventRows = 5;

/** The rows of the screen, at most as many as `size` has. `keys` is the last row. */
export function watchView(
  states: readonly WatchState[],
  choice: Choice,
  size: Size,
  keys = '',
): readonly Line[] {
  const { columns } = size;
  const foot: readonly Line[] = keys === '' ? [] : [[' ', span('faint', keys)]];
  const rows = Math.max(0, size.rows - foot.length);
  const lines = bodyOf(states, choice, { columns, rows });
  return [...lines.slice(0, rows), ...foot].slice(0, size.rows).map((line) => clip(line, columns));
}

function bodyOf(states: readonly WatchState[], choice: Choice, size: Size): readonly Line[] {
  const [only] = states;
  if (states.length === 1 && only !== undefined) return panel(only, choice, size);
  return Math.floor(size.columns / states.length) >= leastPanel
    ? sideBySide(states, choice, size)
    : table(states, choice, size);
}

/** The field to draw: the chosen one where the file has it, else its first. */
export function fieldIn(state: WatchState, { field }: Pick<Choice, 'field'>): string {
  return field !== undefined && state.values.has(field) ? field : (fieldsOf(state)[0] ?? 'training_loss');
}

/** All of one file: title, progress, curve, numbers and the latest events. The curve fills the rows that are left. */
function panel(state: WatchState, choice: Choice, { columns, rows }: Size): readonly Line[] {
  const field = fieldIn(state, choice);
  const head = [titleRow(state, columns), progressRow(state, columns)];
  const numbers = numberRows(state, field, columns);
  const room = rows - head.length - numbers.length;
  const events = state.events.slice(-Math.min(maxEventRows, Math.max(1, room - leastCurve - 4)));
  const rest = [...numbers, ...events.map(eventRow)];
  return [...head, ...curveRows(state, field, { columns, rows: rows - head.length - rest.length }), ...rest];
}

/** The legend and the curve; nothing where there are too few rows. */
function curveRows(state: WatchState, field: string, { columns, rows }: Size): readonly Line[] {
  if (rows < leastCurve + 1) return [];
  const curve = state.curves.get(field) ?? emptyCurve;
  const hasCompanion = curve.latest?.companion !== undefined;
  const legend: Line = [
    ' '.repeat(12),
    span('curve', field),
    ...(hasCompanion ? ['  ', span('companion', 'validation_loss')] : []),
  ];
  return [legend, ...chart(curve, columns - 1, rows - 1)];
}

function sideBySide(states: readonly WatchState[], choice: Choice, size: Size): readonly Line[] {
  const columns = Math.floor(size.columns / states.length);
  const panels = states.map((state) =>
    panel(state, choice, { ...size, columns: columns - 1 }).map((line) => clip(line, columns - 1)),
  );
  return Array.from({ length: Math.max(...panels.map((lines) => lines.length)) }, (_, row) =>
    panels.flatMap((lines) => {
      const line = lines[row] ?? [];
      return [...line, ' '.repeat(columns - widthOf(line))];
    }),
  );
}

/** One row for each file, and the curve of the chosen one. */
function table(states: readonly WatchState[], choice: Choice, { columns, rows }: Size): readonly Line[] {
  const chosen = states[choice.file];
  const field = chosen === undefined ? 'training_loss' : fieldIn(chosen, choice);
  const lines = [
    fileHeading(field),
    ...states.map((state, index) => fileRow(state, field, columns, index === choice.file)),
  ];
  const room = { columns, rows: rows - lines.length - 1 };
  return chosen === undefined ? lines : [...lines, [], ...curveRows(chosen, field, room)];
}
