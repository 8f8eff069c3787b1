import type { Snapshot } from '../snapshot/snapshot.ts';
import { changingFieldsOf, isChanging, shortRunsAfter } from './changing-identity.ts';
import { awaitRun, isFromEarlierRun, isWrittenAgain } from './earlier-run.ts';
import { admitExtras, countNonFinite, finiteChanges } from './fields.ts';
import {
  type IdentityChange,
  identityOf,
  isSecondWriter,
  otherWriterAfter,
  recordPrevious,
  relationTo,
  withSecondWriter,
} from './identity.ts';
import { addToState } from './latest-state.ts';
import { advancePace, noPace } from './pace.ts';
import { positionOf } from './position.ts';
import { advanceProgress, hasStepped, noProgress } from './progress.ts';
import type { LastStep, PollTime, Run, RunEvent, RunPolicy, Transition } from './run.ts';
import { addWrite, writeLimits } from './write-gaps.ts';

/** Applies a new snapshot to the run. Returns the next run, and the events to report. */
export function applySnapshot(
  run: Run | undefined,
  snapshot: Snapshot,
  now: PollTime,
  policy: RunPolicy,
): Transition {
  if (run === undefined && isFromEarlierRun(now))
    return awaitRun(blankRun(snapshot, now, policy), snapshot, now, policy);
  if (run === undefined || run.state === 'waiting') return beginRun(snapshot, now, policy);
  const relation = relationTo(run, snapshot);
  if (relation === 'same') return continueRun(run, snapshot, now, policy);
  if (relation === 'named') return adoptJobId(run, snapshot, now, policy);
  if (isSecondWriter(run, snapshot, relation, now.monotonicMs))
    return ignoreOtherWriter(run, snapshot, relation, now, policy);
  const shortRuns = shortRunsAfter(run, snapshot);
  if (relation === 'other' && isChanging(shortRuns)) return keepIdentity(run, snapshot, now, policy);
  const ended = endRun(run, 'replaced');
  const begun = beginRun(snapshot, now, policy, { ...recordPrevious(run, relation), shortRuns });
  return { run: begun.run, events: [...ended.events, ...begun.events] };
}

/**
 * A job may write its job_id later than its first values. It is the same job, but job_id is a label, and labels never
 * change within a run. So a named run replaces the nameless one and continues its progress.
 */
function adoptJobId(nameless: Run, snapshot: Snapshot, now: PollTime, policy: RunPolicy): Transition {
  const { jobId, modelName, dataset, rank } = snapshot.job;
  const { labels } = nameless;
  const named: Run = {
    ...nameless,
    identity: { ...nameless.identity, jobId },
    labels: {
      modelName: labels.modelName ?? modelName,
      dataset: labels.dataset ?? dataset,
      rank: labels.rank ?? rank,
    },
  };
  const { run = named, events } = continueRun(named, snapshot, now, policy);
  const ended = endRun(nameless, 'replaced');
  return { run, events: [...ended.events, { kind: 'run_began', run }, ...events] };
}

/** An identity that changes with every write would begin a run with every write. */
function keepIdentity(run: Run, snapshot: Snapshot, now: PollTime, policy: RunPolicy): Transition {
  const changingFields = changingFieldsOf(run, snapshot);
  const continued = continueRun({ ...run, changingFields }, snapshot, now, policy);
  return {
    run: continued.run,
    events: [{ kind: 'identity_changes', fields: changingFields }, ...continued.events],
  };
}

/** A snapshot of a second writer is not part of the run, so only the time is applied. */
function ignoreOtherWriter(
  run: Run,
  snapshot: Snapshot,
  change: IdentityChange,
  now: PollTime,
  policy: RunPolicy,
): Transition {
  const seen = withSecondWriter(run, snapshot, change, now.monotonicMs);
  const passed = applyTime(seen, { ...now, fileAgeMs: now.monotonicMs - run.seenMonotonicMs }, policy);
  return {
    run: passed.run,
    events: [{ kind: 'two_writers', other: identityOf(snapshot) }, ...passed.events],
  };
}

/** Applies the time that has passed without a new snapshot: the run may become stale, or stall. */
export function applyTime(run: Run | undefined, now: PollTime, policy: RunPolicy): Transition {
  if (run === undefined) return { run, events: [] };
  if (isWrittenAgain(run, now)) return beginRun(run.latest, now, policy);
  const { staleAfterMs, stallAfterMs } = writeLimits(run, policy);
  const fresh = now.fileAgeMs < staleAfterMs;
  // Not before the start of the bridge, because it did not see whether the step advanced then.
  const watchedSinceMs = Math.max(
    run.lastStep.monotonicMs,
    now.startedMonotonicMs ?? Number.NEGATIVE_INFINITY,
  );
  const stalls = run.state === 'running' && now.monotonicMs - watchedSinceMs >= stallAfterMs;
  const events: RunEvent[] = [];
  if (fresh !== run.fresh) events.push({ kind: fresh ? 'became_fresh' : 'went_stale' });
  if (stalls) events.push({ kind: 'stalled' });
  return { run: { ...run, fresh, state: stalls ? 'stalled' : run.state }, events };
}

/** Ends a run that has no final status: another run replaces it, or the bridge is told to stop. */
export function endRun(
  run: Run,
  reason: 'replaced' | 'stopped',
): { readonly run: Run; readonly events: readonly RunEvent[] } {
  if (run.state !== 'running' && run.state !== 'stalled') return { run, events: [] };
  const ended: Run = { ...run, state: 'ended' };
  return { run: ended, events: [{ kind: 'run_ended', run: ended, reason }] };
}

function beginRun(
  snapshot: Snapshot,
  now: PollTime,
  policy: RunPolicy,
  before: Partial<Pick<Run, 'previousRuns' | 'otherWriter' | 'shortRuns'>> = {},
): Transition {
  const blank: Run = { ...blankRun(snapshot, now, policy), ...before };
  const { run = blank, events } = continueRun(blank, snapshot, now, policy);
  return { run, events: [{ kind: 'run_began', run }, ...events] };
}

function blankRun(snapshot: Snapshot, now: PollTime, policy: RunPolicy): Run {
  const { modelName, dataset, rank } = snapshot.job;
  return {
    identity: identityOf(snapshot),
    labels: { modelName, dataset, rank: rank ?? policy.rank },
    state: 'running',
    fresh: true,
    progress: noProgress,
    position: positionOf(snapshot, noProgress),
    pace: noPace,
    lastStep: stepAt(now),
    latest: snapshot,
    applied: snapshot,
    writeGaps: undefined,
    seenMonotonicMs: now.monotonicMs,
    extras: new Set(),
    nonFinite: new Map(),
    overMonotonicMs: undefined,
    previousRuns: [],
    snapshots: 0,
    shortRuns: 0,
    changingFields: [],
    otherWriter: undefined,
  };
}

function continueRun(before: Run, snapshot: Snapshot, now: PollTime, policy: RunPolicy): Transition {
  const progress = advanceProgress(before.progress, snapshot.values);
  const stepped = hasStepped(progress, before.latest.values, snapshot.values);
  const { admitted, refused } = admitExtras(before.extras, snapshot, policy.maxExtraMetrics);
  const state = stateAfter(before, snapshot, stepped);
  const step = stepAt(now);
  const latest = policy.content === 'records' ? addToState(before.latest, snapshot) : snapshot;
  const position = positionOf(latest, progress);
  const run: Run = {
    ...before,
    identity: { ...before.identity, startTimeMs: before.identity.startTimeMs ?? snapshot.job.startTimeMs },
    state,
    overMonotonicMs: isOver(state) ? overSince(before, state, now) : undefined,
    progress,
    position,
    pace: advancePace(
      before.pace,
      position,
      step.monotonicMs,
      before.state === 'stalled' ? 'stalled' : 'running',
    ),
    lastStep: stepped ? step : before.lastStep,
    latest,
    applied: snapshot,
    writeGaps: policy.content === 'records' ? addWrite(before.writeGaps, step.monotonicMs) : undefined,
    seenMonotonicMs: now.monotonicMs,
    snapshots: before.snapshots + 1,
    extras: admitted,
    nonFinite: countNonFinite(before.nonFinite, snapshot, admitted),
    otherWriter: otherWriterAfter(before, snapshot, now.monotonicMs),
  };
  const passed = applyTime(run, now, policy);
  return { run: passed.run, events: [...eventsOf(before, run, refused), ...passed.events] };
}

/** The events of a run that was continued with a snapshot, in the order in which they are reported. */
function eventsOf(before: Run, run: Run, refusedExtras: readonly string[]): readonly RunEvent[] {
  const { progress, state, applied } = run;
  const events: RunEvent[] = [];
  if (applied.resume !== undefined)
    events.push({ kind: 'run_rewound', step: applied.resume.at, from: applied.resume.from });
  if (epochEnded(before, run))
    events.push({ kind: 'epoch_ended', epoch: before.progress.epoch as number, run: before });
  if (progress.fromZero && !before.progress.fromZero && !progress.bySteps)
    events.push({ kind: 'counts_from_zero' });
  events.push(...finiteChanges(before, run));
  if (refusedExtras.length > 0) events.push({ kind: 'extras_refused', names: refusedExtras });
  if (before.state === 'stalled' && state === 'running') events.push({ kind: 'resumed' });
  if (isOver(state) && state !== before.state) events.push({ kind: 'run_ended', run, reason: 'status' });
  return events;
}

/** A step is made when the file is written, which is earlier than when it is read. */
function stepAt(now: PollTime): LastStep {
  return { unixMs: now.unixMs - now.fileAgeMs, monotonicMs: now.monotonicMs - now.fileAgeMs };
}

const isOver = (state: Run['state']) => state === 'completed' || state === 'failed';

const overSince = (before: Run, state: Run['state'], { monotonicMs }: PollTime) =>
  before.state === state ? before.overMonotonicMs : monotonicMs;

function stateAfter(before: Run, { status }: Snapshot, stepped: boolean): Run['state'] {
  if (status === 'completed' || status === 'failed') return status;
  // A last write without status does not begin the run again.
  if (status === undefined && isOver(before.state)) return before.state;
  return before.state === 'stalled' && !stepped ? 'stalled' : 'running';
}

function epochEnded(before: Run, after: Run): boolean {
  const [last, next] = [before.progress.epoch, after.progress.epoch];
  return last !== undefined && next !== undefined && Math.floor(next) > Math.floor(last);
}
