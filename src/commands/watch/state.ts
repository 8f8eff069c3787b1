import { type Curve, emptyCurve, extendCurve } from '../../cli/terminal/curve.ts';
import { applySnapshot, applyTime } from '../../run/advance.ts';
import type { PollTime, Run, RunPolicy, Transition } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { Poll, TimedSnapshot } from '../../snapshot/source.ts';
import { describeEvent, type ShownEvent } from './events.ts';

/** What is known of one watched file. Its size depends on the number of fields, not of snapshots. */
export interface WatchState {
  readonly path: string;
  readonly run: Run | undefined;
  /** Every number of the current run, by field. */
  readonly curves: ReadonlyMap<string, Curve>;
  /** The numbers of the latest snapshot, and those of the one before it. */
  readonly values: ReadonlyMap<string, number>;
  readonly previous: ReadonlyMap<string, number>;
  /** The latest events, oldest first. */
  readonly events: readonly ShownEvent[];
  /** Why the file cannot be read; undefined if it was read. */
  readonly problem: string | undefined;
  readonly fileAgeMs: number | undefined;
  readonly snapshots: number;
}

const maxEvents = 50;

export const unreadState = (path: string): WatchState => ({
  path,
  run: undefined,
  curves: new Map(),
  values: new Map(),
  previous: new Map(),
  events: [],
  problem: 'not read yet',
  fileAgeMs: undefined,
  snapshots: 0,
});

/** The state after a poll: after each of its snapshots, or after the time that has passed. */
export function observePoll(state: WatchState, poll: Poll, policy: RunPolicy): WatchState {
  const { outcome, moment, fileAgeMs, snapshotAgeMs = 0 } = poll;
  const problem = 'reason' in outcome ? outcome.reason : undefined;
  const isNewProblem = problem !== undefined && problem !== state.problem && state.run !== undefined;
  const seen = { ...state, problem, fileAgeMs };
  const next = isNewProblem ? withEvents(seen, [{ tone: 'warning', text: problem }], moment.unixMs) : seen;
  const time: PollTime = { ...moment, fileAgeMs: snapshotAgeMs };
  if (outcome.status !== 'ok') return afterTime(next);
  const read = outcome.snapshots.reduce((before, timed) => {
    const { snapshot } = timed;
    const written = timeOfWrite(time, timed);
    const transition = applySnapshot(before.run, snapshot, written, policy);
    const after = afterTransition(before, transition, written.unixMs);
    // A snapshot of a second writer is not part of the run.
    const isOwn = transition.events.every(({ kind }) => kind !== 'two_writers');
    return isOwn ? withSnapshot(after, snapshot) : after;
  }, next);
  return afterTime(read);

  /** Time has passed only once everything was read: until then, later records may be newer. */
  function afterTime(before: WatchState): WatchState {
    return poll.more ? before : afterTransition(before, applyTime(before.run, time, policy), moment.unixMs);
  }
}

/**
 * When a snapshot was written, as if it had been read then: a run of which hours are read at once did not stall in each of
 * them, and is stale after them. Records whose times are not known are all of the last write, as in the bridge.
 */
function timeOfWrite(time: PollTime, { timeMs, hasOwnTime = false }: TimedSnapshot): PollTime {
  const ageMs = timeMs !== undefined && hasOwnTime ? Math.max(0, time.unixMs - timeMs) : time.fileAgeMs;
  return { unixMs: time.unixMs - ageMs, monotonicMs: time.monotonicMs - ageMs, fileAgeMs: 0 };
}

function afterTransition(state: WatchState, { run, events }: Transition, unixMs: number): WatchState {
  const began = events.some(({ kind }) => kind === 'run_began');
  const shown = events.flatMap((event) => describeEvent(event) ?? []);
  const next = withEvents({ ...state, run }, shown, unixMs);
  return began ? { ...next, curves: new Map(), values: new Map(), previous: new Map() } : next;
}

/** An event that repeats the last one is left out: of two jobs that write in turn, each write is one. */
function withEvents(
  state: WatchState,
  events: readonly Omit<ShownEvent, 'unixMs'>[],
  unixMs: number,
): WatchState {
  const shown = [...state.events];
  for (const event of events) if (event.text !== shown.at(-1)?.text) shown.push({ ...event, unixMs });
  return shown.length === state.events.length ? state : { ...state, events: shown.slice(-maxEvents) };
}

function withSnapshot(state: WatchState, snapshot: Snapshot): WatchState {
  if (state.run === undefined) return state;
  const values = numbersOf(snapshot);
  const { epoch, batches } = state.run.progress;
  const curves = new Map(state.curves);
  for (const [field, value] of values) {
    const companion = field === 'training_loss' ? values.get('validation_loss') : undefined;
    const sample = { batch: batches, epoch, value, companion };
    curves.set(field, extendCurve(curves.get(field) ?? emptyCurve, sample));
  }
  // In a log, a record has only some of the fields; the others keep their last value.
  const kept = new Map([...state.values, ...values]);
  return { ...state, curves, values: kept, previous: state.values, snapshots: state.snapshots + 1 };
}

/** Every number of a snapshot, by field, those that are not finite included. */
const numbersOf = ({ values, extras, nonFinite }: Snapshot): ReadonlyMap<string, number> =>
  new Map([...Object.entries(values), ...extras, ...nonFinite]);
