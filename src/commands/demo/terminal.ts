import { clearLine, clearScreenDown, cursorTo, moveCursor } from 'node:readline';
import { type Output, painted } from '../../cli/terminal/output.ts';
import { epochLines, newsBetween } from './plain.ts';
import type { ReceivedRequest } from './receiver/receiver.ts';
import { initialState, observe } from './state.ts';
import { largest, type Size, view } from './view.ts';

export interface DemoViewOptions {
  readonly output: Output;
  /** Draws a screen over and over on a terminal; prints lines without escape codes elsewhere. */
  readonly isTty: boolean;
  /** Least time between two drawings of the screen, in milliseconds; 100 if not given. */
  readonly redrawMs?: number;
}

export interface DemoView {
  update(request: ReceivedRequest): void;
  /** Says something in one line: on a terminal the last one stays below the screen. */
  note(line: string): void;
  /** Shows the last state and the summary and gives the cursor back. What comes after is ignored. */
  finish(summaryLines: readonly string[]): void;
}

/** What `demo` shows of the requests it receives. Nothing is written before the first call. */
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
      print(newsBetween(before, state));
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
    // Each row is overwritten before what is left of the old screen is cleared: cleared first, it would flicker.
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
    // A cursor that stays hidden after a crash is the next program's trouble.
    process.once('exit', showCursor);
  };
  // Rows that the terminal has wrapped anew can no longer be counted.
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
 * One row less than there is, because the cursor rests below and a full screen would scroll; one column less, because
 * clearing to the end of a full line takes its last character away.
 */
const roomOf = ({ columns = largest.columns + 1, rows = largest.rows + 1 }: Output): Size => ({
  columns: columns - 1,
  rows: rows - 1,
});
