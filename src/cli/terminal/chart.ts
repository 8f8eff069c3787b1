import { plot } from 'asciichart';
import { type Curve, drawnSamples, type Sample } from './curve.ts';
import { formatNumber } from './format.ts';
import { type Line, span } from './line.ts';

/** Columns of label and axis. */
const axisWidth = 12;
// The library's first symbol marks where a line meets the axis, which looks like a tick with a meaning.
const symbols = ['┤', '┤', '╶', '╴', '─', '╰', '╭', '╮', '╯', '│'];

/** The loss curve in `rows` lines of at most `columns`; the last line shows the epochs. */
export function chart(curve: Curve, columns: number, rows: number): readonly Line[] {
  const samples = drawnSamples(curve, columns - axisWidth);
  if (samples.length === 0) return Array.from({ length: rows }, () => []);
  const losses = samples.map((sample) => sample.loss);
  const [lowest, highest] = [Math.min(...losses), Math.max(...losses)];
  const height = rows - 2;
  // Scaled here to 0 … height, because the library's own scaling adds or drops a row and divides by the range.
  const range = Math.min(highest - lowest, Number.MAX_VALUE) || 1;
  const drawn = plot(
    losses.map((loss) => Math.min(1, (loss - lowest) / range) * height),
    {
      min: 0,
      max: height,
      height,
      offset: 2,
      symbols,
      format: (level) => axisLabel(lowest + (level / height) * range),
    },
  );
  return [...drawn.split('\n').map(splitAxis), epochAxis(samples)];
}

// The library puts the full label into its first cell and the axis into its second, whatever the label's length.
const axisLabel = (value: number) => `${formatNumber(value).padStart(axisWidth - 2)} `;

function splitAxis(row: string): Line {
  return [span('faint', row.slice(0, axisWidth)), span('curve', row.slice(axisWidth).trimEnd())];
}

/** Each epoch's number below its first sample, as far as there is room. */
function epochAxis(samples: readonly Sample[]): Line {
  let text = 'epoch'.padStart(axisWidth - 2);
  samples.forEach(({ epoch }, column) => {
    if (epoch === undefined || epoch === samples[column - 1]?.epoch) return;
    if (text.length < axisWidth + column) text = text.padEnd(axisWidth + column) + epoch;
  });
  return samples.some(({ epoch }) => epoch !== undefined) ? [span('faint', text)] : [];
}
