import { clearLine, clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import { type Output, painted } from '../../cli/terminal/output.ts';
import { epochLines, linesBetween } from './plain.ts';
import type { ReceivedRequest } from './receiver/receiver.ts';
import { initialState, observe } from './state.ts';
import { largest, type Size, view } from './view.ts';

export interface DemoViewOptions {
  readonly output: Output;
  /** Redraws a screen on a terminal; prints lines without escape codes elsewhere. */
  readonly isTty: boolean;
  /** Minimum time between two drawings of the screen, in milliseconds; 100 by default. */
  readonly redrawMs?: number;
}

export interface DemoView {
  update(request: ReceivedRequest): void;
  /** Shows a line; on a terminal the latest one stays below the screen. */
  note(line: string): void;
  /** Shows the last state and the summary and restores the cursor. Later calls are ignored. */
  finish(summaryLines: readonly string[]): void;
}

/** Shows the requests that `demo` receives. Nothing is written before the first call. */
export function createDemoView(options: DemoViewOptions): DemoView {
  const shown = options.isTty ? screen(options) : lines(options.output);
  let finished = false;
  return {
    update: (request) => {
      if (!finished) shown.update(request);
    },
    note: (line) => {
      if (!finished) shown.note(line);
    },
    finish: (summaryLines) => {
      if (!finished) shown.finish(summaryLines);
      finished = true;
    },
  };
}

function lines(output: Output): DemoView {
  let state = initialState;
  const print = (texts: readonly string[]) => {
    for (const text of texts) output.write(`${text}\n`);
  };
  return {
    update: (request) => {
      const before = state;
      state = observe(state, request);
      print(linesBetween(before, state));
    },
    note: (line) => print([line]),
    finish: (summaryLines) => print([...epochLines(state), ...summaryLines]),
  };
}

function screen({ output, redrawMs = 100 }: DemoViewOptions): DemoView {
  let state = initialState;
  let note = '';
  let started = false;
  let drawn = 0;
  let pending: NodeJS.Timeout | undefined;
  let notBefore = 0;
  const showCursor = () => output.write('\u001b[?25h');

  const draw = () => {
    clearTimeout(pending);
    pending = undefined;
    notBefore = performance.now() + redrawMs;
    if (!started) start();
    const next = view(state, roomOf(output), note);
    moveCursor(output, 0, -drawn);
    for (const line of next) {
      cursorTo(output, 0);
      output.write(painted(output, line));
      clearLine(output, 1);
      output.write('\n');
    }
    // The rest of the old screen is cleared after the rows are overwritten. Cleared first, it would flicker.
    clearScreenDown(output);
    drawn = next.length;
  };
  const drawSoon = () => {
    pending ??= setTimeout(draw, Math.max(0, notBefore - performance.now()));
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
    drawn = 0;
    draw();
  };
  return {
    update: (request) => {
      state = observe(state, request);
      drawSoon();
    },
    note: (line) => {
      note = line;
      drawSoon();
    },
    finish: (summaryLines) => {
      note = '';
      draw();
      output.off('resize', redrawAll);
      process.off('exit', showCursor);
      showCursor();
      for (const line of summaryLines) output.write(`${line}\n`);
    },
  };
}

/**
 * One row less than the terminal has, because the cursor is below the screen and a full screen would scroll. One column
 * less, because clearing to the end of a full line removes its last character.
 */
const roomOf = ({ columns = largest.columns + 1, rows = largest.rows + 1 }: Output): Size => ({
  columns: columns - 1,
  rows: rows - 1,
});
