import { emitKeypressEvents } from 'node:readline';
import type { Terminal } from '../../cli/terminal/output.ts';
import { createScreen } from '../../cli/terminal/screen.ts';
import { type Followed, follow } from './follow.ts';
import { fieldsOf } from './rows.ts';
import { unreadState, type WatchState } from './state.ts';
import { type Choice, fieldIn, watchView } from './view.ts';

export interface TerminalWatch extends Pick<Terminal, 'stdin' | 'stdout'> {
  readonly followed: readonly Followed[];
  readonly signal: AbortSignal;
}

/** Shows the files until the signal aborts or q is pressed. */
export async function watchOnTerminal({ stdin, stdout, followed, signal }: TerminalWatch): Promise<void> {
  const states = followed.map(({ path }) => unreadState(path));
  let choice: Choice = { file: 0, field: undefined };
  const quit = new AbortController();
  const ends = AbortSignal.any([signal, quit.signal]);
  const keys = `${followed.length > 1 ? '↑/↓ run   ' : ''}←/→ metric   q quit`;
  const screen = createScreen({
    output: stdout,
    render: (size) => watchView(states, choice, size, keys),
    redrawMs: 100,
    defaultSize: { columns: 79, rows: 23 },
  });
  const stopListening = listenForKeys(stdin, (key) => {
    if (key === 'q' || key === 'ctrl-c') quit.abort();
    choice = choiceAfter(choice, key, states);
    screen.redraw();
  });
  const onState = (index: number) => (state: WatchState) => {
    states[index] = state;
    screen.redraw();
  };
  try {
    await Promise.all(
      followed.map((it, index) => follow({ ...it, signal: ends, onState: onState(index) }, 'until_stopped')),
    );
  } finally {
    stopListening();
    screen.finish();
  }
}

type Key = 'left' | 'right' | 'up' | 'down' | 'q' | 'ctrl-c';

/** The next choice: the arrows go round. */
export function choiceAfter(choice: Choice, key: Key, states: readonly WatchState[]): Choice {
  const step = { left: -1, right: 1, up: -1, down: 1, q: 0, 'ctrl-c': 0 }[key];
  if (key === 'up' || key === 'down')
    return { ...choice, file: (choice.file + step + states.length) % states.length };
  const state = states[choice.file];
  const fields = state === undefined ? [] : fieldsOf(state);
  if (state === undefined || fields.length === 0) return choice;
  const index = fields.indexOf(fieldIn(state, choice));
  return { ...choice, field: fields[(index + step + fields.length) % fields.length] };
}

const keyNames: Readonly<Record<string, Key>> = {
  left: 'left',
  right: 'right',
  tab: 'right',
  up: 'up',
  down: 'down',
  q: 'q',
  escape: 'q',
};

/** Reads single keys, if the input is a terminal. Gives what restores the terminal. */
function listenForKeys(stdin: NodeJS.ReadableStream, onKey: (key: Key) => void): () => void {
  const input = stdin as NodeJS.ReadStream;
  if (!input.isTTY) return () => undefined;
  const onPress = (_text: string | undefined, { name = '', ctrl }: { name?: string; ctrl?: boolean }) => {
    const key = ctrl && name === 'c' ? 'ctrl-c' : keyNames[name];
    if (key !== undefined) onKey(key);
  };
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.on('keypress', onPress).resume();
  return () => {
    input.off('keypress', onPress).pause();
    input.setRawMode(false);
  };
}
