import type { Clock } from '../../common/clock.ts';
import { pause } from '../../common/timing.ts';
import type { RunPolicy } from '../../run/run.ts';
import type { SourceChoice } from '../../snapshot/create-source.ts';
import { type BoundedPoller, createBoundedPoller } from '../../snapshot/poll.ts';
import { observePoll, unreadState, type WatchState } from './state.ts';

/** A file, and how it is read. */
export interface Followed {
  readonly path: string;
  readonly source: SourceChoice;
  readonly policy: RunPolicy;
  readonly clock: Clock;
}

export interface WatchFileOptions extends Followed {
  readonly signal: AbortSignal;
  /** Called after each poll. */
  readonly onState: (state: WatchState) => void;
}

/** Well below a second, so that a write is shown within a second. A poll of an unchanged file costs one stat(). */
const pollMs = 250;
/** A read that takes longer is shown as a problem. */
const hungAfterMs = 5_000;

/** Polls a source until the signal aborts; `once` until all that is there has been read. */
export async function follow(
  options: WatchFileOptions,
  times: 'once' | 'until_stopped',
): Promise<WatchState> {
  const { source, clock, signal } = options;
  const poller = createBoundedPoller(source, { clock, signal, graceMs: 0, limitMs: hungAfterMs });
  try {
    return await followPoller(poller, options, times);
  } finally {
    await poller.close();
  }
}

async function followPoller(
  poller: BoundedPoller,
  { path, policy, signal, onState }: WatchFileOptions,
  times: 'once' | 'until_stopped',
): Promise<WatchState> {
  let state = unreadState(path);
  for (;;) {
    const poll = await poller.poll();
    state = observePoll(state, poll, { ...policy, content: poller.content });
    onState(state);
    if (signal.aborted || (times === 'once' && !poll.more)) return state;
    if (!poll.more) await pause(pollMs, signal);
    if (signal.aborted) return state;
  }
}
