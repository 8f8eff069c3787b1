import { clearLine, clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import type { Line } from './line.ts';
import { type Output, painted } from './output.ts';

/** In characters. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface ScreenOptions {
  readonly output: Output;
  /** Gives the rows to draw, at most as many as fit. */
  readonly render: (size: Size) => readonly Line[];
  /** Minimum time between two drawings, in milliseconds. */
  readonly redrawMs: number;
  /** Size of a terminal that does not tell its own. */
  readonly defaultSize: Size;
}

export interface Screen {
  /** Draws soon. */
  redraw(): void;
  /** Draws a last time and restores the cursor. */
  finish(): void;
}

/** Draws rows over those drawn before. Nothing is written before the first drawing, which hides the cursor. */
export function createScreen({ output, render, redrawMs, defaultSize }: ScreenOptions): Screen {
  let started = false;
  let drawn: readonly string[] = [];
  let pending: NodeJS.Timeout | undefined;
  let notBefore = 0;
  const showCursor = () => output.write('\u001b[?25h');

  const draw = () => {
    clearTimeout(pending);
    pending = undefined;
    notBefore = performance.now() + redrawMs;
    if (!started) start();
    const next = render(roomOf(output, defaultSize)).map((line) => painted(output, line));
    // A frame of a few kilobytes several times a second is a load for a slow connection.
    if (next.length === drawn.length && next.every((line, row) => line === drawn[row])) return;
    moveCursor(output, 0, -drawn.length);
    for (const line of next) {
      cursorTo(output, 0);
      output.write(line);
      clearLine(output, 1);
      output.write('\n');
    }
    // The rest of the old screen is cleared after the rows are overwritten. Cleared first, it would flicker.
    clearScreenDown(output);
    drawn = next;
  };
  const start = () => {
    started = true;
    output.write('\u001b[?25l');
    output.on('resize', redrawAll);
    // The terminal would keep the cursor hidden after a crash.
    process.once('exit', showCursor);
  };
  // After the terminal has wrapped rows again, their number is not known.
  const redrawAll = () => {
    cursorTo(output, 0, 0);
    clearScreenDown(output);
    drawn = [];
    draw();
  };
  return {
    redraw: () => {
      pending ??= setTimeout(draw, Math.max(0, notBefore - performance.now()));
    },
    finish: () => {
      draw();
      output.off('resize', redrawAll);
      process.off('exit', showCursor);
      showCursor();
    },
  };
}

/**
 * One row less than the terminal has, because the cursor is below the screen and a full screen would scroll. One column
 * less, because clearing to the end of a full line removes its last character.
 */
const roomOf = ({ columns, rows }: Output, defaultSize: Size): Size => ({
  // A terminal that has not been told its size says 0.
  columns: columns ? columns - 1 : defaultSize.columns,
  rows: rows ? rows - 1 : defaultSize.rows,
});
