import { styleText } from 'node:util';
import { type Line, plainText, type Span, type Tone } from './line.ts';

/** What is used of a terminal's stream; on any other the size is not known and there are no colours. */
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

// Whether there are colours is decided by the stream that is written to, not by the one styleText would look at.
const paint = (piece: Span) =>
  typeof piece === 'string' ? piece : styleText(styles[piece.tone], piece.text, { validateStream: false });

/** Never wider than a line is pleasant to read. */
export const columnsOf = ({ columns }: Output): number => Math.min(columns ?? 80, 100);
