import { styleText } from 'node:util';
import { type Line, plainText, type Span, type Tone } from './line.ts';

/** An output stream. One that is not a terminal has no size and no colours. */
export type Output = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  hasColors?(): boolean;
};

/** The streams of a process. */
export interface Terminal {
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Output;
  readonly stderr: Output;
}

const styles: Readonly<Record<Tone, Parameters<typeof styleText>[0]>> = {
  strong: 'bold',
  faint: 'gray',
  curve: 'cyan',
  companion: 'magenta',
  good: 'green',
  bad: ['red', 'bold'],
  warning: 'yellow',
};

export function printLines(output: Output, lines: readonly Line[]): void {
  output.write(lines.map((line) => `${painted(output, line).trimEnd()}\n`).join(''));
}

export function painted(output: Output, line: Line): string {
  return (output.hasColors?.() ?? false) ? line.map(paint).join('') : plainText(line);
}

// hasColors has checked the stream that is written to; styleText would check process.stdout.
const paint = (piece: Span) =>
  typeof piece === 'string' ? piece : styleText(styles[piece.tone], piece.text, { validateStream: false });

/** The size of a terminal; 80 × 24 if it is not known. A terminal that has not been told its size says 0. */
export const sizeOf = ({ columns, rows }: Output) => ({ columns: columns || 80, rows: rows || 24 });

/** At most 100, because longer lines are hard to read. */
export const columnsOf = (output: Output): number => Math.min(sizeOf(output).columns, 100);
