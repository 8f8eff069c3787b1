import { chart } from '../../cli/terminal/chart.ts';
import { emptyCurve } from '../../cli/terminal/curve.ts';
import { clip, type Line, span, widthOf } from '../../cli/terminal/line.ts';
import type { Size } from '../../cli/terminal/screen.ts';
import type { ShownEvent } from './events.ts';
import {
  eventRows,
  fieldsOf,
  fileHeading,
  fileRow,
  nameOf,
  numberRows,
  progressRow,
  titleRow,
} from './rows.ts';
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
/** The rows of events and numbers that are kept where there are more numbers than rows. */
const leastEvents = 2;
const leastNumbers = 3;

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
  const least = leastCurve + 1 + Math.min(leastEvents, state.events.length);
  const numbers = numberRows(state, field, {
    columns,
    rows: Math.max(leastNumbers, rows - head.length - least),
  });
  const room = rows - head.length - numbers.length;
  const events = latestEvents(state.events, Math.min(maxEventRows, Math.max(1, room - leastCurve - 4)));
  const rest = [...numbers, ...eventRows(events)];
  return [...head, ...curveRows(state, field, { columns, rows: rows - head.length - rest.length }), ...rest];
}

const latestEvents = <T>(events: readonly T[], count: number) => (count <= 0 ? [] : events.slice(-count));

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

/** One row for each file, the curve of the chosen one, and the latest events of all. */
function table(states: readonly WatchState[], choice: Choice, { columns, rows }: Size): readonly Line[] {
  const chosen = states[choice.file];
  const field = chosen === undefined ? 'training_loss' : fieldIn(chosen, choice);
  const shown = windowAround(states.length, choice.file, rows - 1);
  const lines = [
    fileHeading(field, shown.length < states.length ? `${shown.length} of ${states.length} runs` : 'run'),
    ...shown.map((index) => fileRow(states[index] as WatchState, field, columns, index === choice.file)),
  ];
  const room = rows - lines.length - 1;
  const hasCurve = room > leastCurve;
  const events = latestEvents(eventsOfAll(states), hasCurve ? Math.min(3, room - leastCurve - 1) : room);
  const curve =
    chosen === undefined || !hasCurve
      ? []
      : curveRows(chosen, field, { columns, rows: room - events.length });
  return [...lines, [], ...curve, ...eventRows(events)];
}

/** The indices of at most `room` entries of a list, `chosen` among them. */
function windowAround(length: number, chosen: number, room: number): readonly number[] {
  const count = Math.min(length, Math.max(1, room));
  const first = Math.min(Math.max(0, chosen - Math.floor(count / 2)), length - count);
  return Array.from({ length: count }, (_, index) => first + index);
}

/** The events of all files by time, each with the name of its run, without those that every rank has. */
function eventsOfAll(states: readonly WatchState[]): readonly ShownEvent[] {
  return states
    .flatMap((state) =>
      state.events
        .filter(({ tone }) => tone !== 'faint')
        .map((event) => ({ ...event, text: `${nameOf(state)}  ${event.text}` })),
    )
    .sort((one, other) => one.unixMs - other.unixMs);
}
