import { plot } from 'asciichart';
import { type Curve, drawnSamples, type Sample } from './curve.ts';
import { formatNumber } from './format.ts';
import { type Line, type Span, span } from './line.ts';

/** Columns of label and axis. */
const axisWidth = 12;
// The library's first symbol marks where a line meets the axis, which looks like a tick with a meaning.
const symbols = ['┤', '┤', '╶', '╴', '─', '╰', '╭', '╮', '╯', '│'];

/** A curve and its companions in `rows` lines of at most `columns`; the last line shows the epochs. */
export function chart(curve: Curve, columns: number, rows: number): readonly Line[] {
  const samples = drawnSamples(curve, columns - axisWidth);
  if (samples.length === 0) return Array.from({ length: rows }, () => []);
  const values = samples.map(({ value }) => value);
  const from = samples.findIndex(({ companion }) => companion !== undefined);
  const companions = from < 0 ? [] : filled(samples.slice(from));
  const { lowest, range } = scaleOf([...values, ...companions]);
  const height = rows - 2;
  // Scaled here to 0 … height, because the library's own scaling adds or drops a row and divides by the range.
  const draw = (series: readonly number[]) =>
    plot(
      drawable(series).map((value) => Math.min(1, (value - lowest) / range) * height),
      {
        min: 0,
        max: height,
        height,
        offset: 2,
        symbols,
        format: (level) => axisLabel(lowest + (level / height) * range),
      },
    ).split('\n');
  const behind = companions.length === 0 ? [] : draw(companions).map((row) => row.slice(axisWidth));
  const drawn = draw(values).map((row, index) => [
    span('faint', row.slice(0, axisWidth)),
    ...overlay(
      row.slice(axisWidth).trimEnd(),
      `${' '.repeat(Math.max(0, from))}${behind[index] ?? ''}`.trimEnd(),
    ),
  ]);
  return [...drawn, epochAxis(samples)];
}

/** A constant has no range of its own: it is drawn in the middle of a tenth of its size. */
function scaleOf(values: readonly number[]): { readonly lowest: number; readonly range: number } {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  if (lowest < highest) return { lowest, range: Math.min(highest - lowest, Number.MAX_VALUE) };
  const range = Math.abs(lowest) / 10 || 1;
  return { lowest: lowest - range / 2, range };
}

/** The library draws lines between values and would show nothing of a single one. */
const drawable = (series: readonly number[]) => (series.length === 1 ? [...series, ...series] : series);

/** Companions from the first one on; a sample without one has that of the sample before it. */
function filled(samples: readonly Sample[]): readonly number[] {
  let last = 0;
  return samples.map(({ companion }) => {
    last = companion ?? last;
    return last;
  });
}

/** Draws a row of the curve in front of the same row of its companion. */
function overlay(front: string, behind: string): readonly Span[] {
  if (behind === '') return [span('curve', front)];
  const width = Math.max(front.length, behind.length);
  const tones = Array.from({ length: width }, (_, column) =>
    (front[column] ?? ' ') !== ' ' ? 'curve' : 'companion',
  );
  const cells = tones.map((tone, column) => (tone === 'curve' ? front[column] : (behind[column] ?? ' ')));
  const starts = tones.flatMap((tone, column) => (tone === tones[column - 1] ? [] : [column]));
  return starts.map((start, index) =>
    span(tones[start] ?? 'curve', cells.slice(start, starts[index + 1]).join('')),
  );
}

// The library puts the full label into its first cell and the axis into its second, whatever the label's length.
const axisLabel = (value: number) => `${formatNumber(value).padStart(axisWidth - 2)} `;

/** Each epoch's number below its first sample, as far as there is room. */
function epochAxis(samples: readonly Sample[]): Line {
  let text = 'epoch'.padStart(axisWidth - 2);
  samples.forEach(({ epoch }, column) => {
    if (epoch === undefined || epoch === samples[column - 1]?.epoch) return;
    if (text.length < axisWidth + column) text = text.padEnd(axisWidth + column) + epoch;
  });
  return samples.some(({ epoch }) => epoch !== undefined) ? [span('faint', text)] : [];
}
