import type { Clock } from '../../common/clock.ts';
import { pause } from '../../common/timing.ts';
import type { RunPolicy } from '../../run/run.ts';
import { createBoundedPoller } from '../../snapshot/poll.ts';
import type { SnapshotSource } from '../../snapshot/source.ts';
import { observePoll, unreadState, type WatchState } from './state.ts';

/** A file, and how it is read. */
export interface Followed {
  readonly path: string;
  readonly source: SnapshotSource;
  readonly policy: RunPolicy;
  readonly clock: Clock;
}

export interface WatchOptions extends Followed {
  readonly signal: AbortSignal;
  /** Called after each poll. */
  readonly onState: (state: WatchState) => void;
}

/** Well below a second, so that a write is shown within a second. A poll of an unchanged file costs one stat(). */
const pollMs = 250;
/** A read that takes longer is shown as a problem. */
const hungAfterMs = 5_000;

/** Reads a source over and over until the signal aborts. `once` reads it one time. */
export async function follow(options: WatchOptions, times: 'once' | 'until_stopped'): Promise<WatchState> {
  const { path, source, policy, clock, signal, onState } = options;
  const poller = createBoundedPoller({ source }, { clock, signal, graceMs: 0, limitMs: hungAfterMs });
  let state = unreadState(path);
  do {
    state = observePoll(state, await poller.poll(), policy);
    onState(state);
    if (times === 'until_stopped') await pause(pollMs, signal);
  } while (times === 'until_stopped' && !signal.aborted);
  return state;
}
