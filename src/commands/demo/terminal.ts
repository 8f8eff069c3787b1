import type { Output } from '../../cli/terminal/output.ts';
import { createScreen } from '../../cli/terminal/screen.ts';
import { epochLines, linesBetween } from './plain.ts';
import type { ReceivedRequest } from './receiver/receiver.ts';
import { initialState, observe } from './state.ts';
import { maximumSize, view } from './view.ts';

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
  const shown = createScreen({
    output,
    render: (size) => view(state, size, note),
    redrawMs,
    defaultSize: maximumSize,
  });
  return {
    update: (request) => {
      state = observe(state, request);
      shown.redraw();
    },
    note: (line) => {
      note = line;
      shown.redraw();
    },
    finish: (summaryLines) => {
      note = '';
      shown.finish();
      for (const line of summaryLines) output.write(`${line}\n`);
    },
  };
}
