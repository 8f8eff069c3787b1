import type { NumericField } from '../../../catalogue/metrics.ts';
import { shorten } from '../../../common/shorten.ts';
import type { PollTime, Run, RunEvent, Transition } from '../../../run/run.ts';

/** What a heartbeat monitor is told, by the convention of https://healthchecks.io/docs/http_api/. */
export type HeartbeatSignal =
  | { readonly kind: 'start' | 'beat' | 'success' }
  /** The reason is one line for a person. */
  | { readonly kind: 'fail'; readonly reason: string };

/** What was sent and what holds now. Times are of the monotonic clock. */
export interface SignalState {
  readonly lastBeatMs: number;
  readonly lastFailMs: number;
  /** Time of the step that was last reported by a beat. */
  readonly reportedStepMs: number;
  /** Losses that are NaN or infinite, as `training_loss is NaN`, by field. */
  readonly nonFinite: ReadonlyMap<string, string>;
  /** The reason of the last fail that still holds. */
  readonly failing: string | undefined;
}

const never = Number.NEGATIVE_INFINITY;

export const initialSignals: SignalState = {
  lastBeatMs: never,
  lastFailMs: never,
  reportedStepMs: never,
  nonFinite: new Map(),
  failing: undefined,
};

interface Signals {
  readonly state: SignalState;
  readonly signals: readonly HeartbeatSignal[];
}

const intervalMs = 60_000;
const losses: readonly string[] = ['training_loss', 'validation_loss'] satisfies NumericField[];

/** The signals for a transition of the run. In a job of several ranks only rank 0 sends any. */
export function advanceSignals(before: SignalState, { run, events }: Transition, now: PollTime): Signals {
  if (run === undefined || run.state === 'waiting' || (run.labels.rank ?? 0) !== 0)
    return { state: before, signals: [] };
  let state = before;
  const signals: HeartbeatSignal[] = [];
  for (const event of events) {
    state = stateAfter(state, event);
    signals.push(...signalsOf(event, state));
  }
  if (run.state !== 'running' && run.state !== 'stalled') return { state, signals };
  const next = report(state, run, now.monotonicMs);
  return { state: next.state, signals: [...signals, ...next.signals] };
}

function stateAfter(state: SignalState, event: RunEvent): SignalState {
  if (event.kind === 'run_began')
    return { ...initialSignals, reportedStepMs: event.run.lastStep.monotonicMs };
  if (event.kind === 'became_non_finite' && losses.includes(event.field)) {
    const reason = `${event.field} is ${event.value}`;
    return { ...state, nonFinite: new Map([...state.nonFinite, [event.field, reason]]) };
  }
  if (event.kind === 'became_finite')
    return { ...state, nonFinite: new Map([...state.nonFinite].filter(([field]) => field !== event.field)) };
  return state;
}

/** A run that is stopped without a status sends nothing: the monitor's own deadline decides. */
function signalsOf(event: RunEvent, { nonFinite }: SignalState): readonly HeartbeatSignal[] {
  if (event.kind === 'run_began') return [{ kind: 'start' }];
  if (event.kind !== 'run_ended' || event.reason !== 'status') return [];
  if (event.run.state === 'failed') return [{ kind: 'fail', reason: failureOf(event.run) }];
  // A success would end the alarm about the loss.
  return nonFinite.size > 0 ? [] : [{ kind: 'success' }];
}

/** A fail while something is wrong, else a beat if the step has advanced; each at most once a minute. */
function report(state: SignalState, run: Run, nowMs: number): Signals {
  const [nonFinite] = state.nonFinite.values();
  const reason = nonFinite ?? (run.state === 'stalled' ? stalled : undefined);
  if (reason !== undefined) {
    if (reason === state.failing || nowMs - state.lastFailMs < intervalMs) return { state, signals: [] };
    const failed = { ...state, failing: reason, lastFailMs: nowMs };
    return { state: failed, signals: [{ kind: 'fail', reason }] };
  }
  const well = state.failing === undefined ? state : { ...state, failing: undefined };
  const stepMs = run.lastStep.monotonicMs;
  if (stepMs <= state.reportedStepMs || nowMs - state.lastBeatMs < intervalMs)
    return { state: well, signals: [] };
  return { state: { ...well, reportedStepMs: stepMs, lastBeatMs: nowMs }, signals: [{ kind: 'beat' }] };
}

const stalled = 'The run is stalled: its step has not advanced for STALL_AFTER';

const maxReason = 1_000;

function failureOf({ latest: { error } }: Run): string {
  if (error === undefined) return 'The run has the status failed';
  return shorten(`The run failed: ${error.type}: ${error.message}`, maxReason);
}
