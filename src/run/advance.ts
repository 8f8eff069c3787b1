import { isNumericField } from '../catalogue/metrics.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import {
  type IdentityChange,
  identityOf,
  isSecondWriter,
  otherWriterAfter,
  recordPrevious,
  relationTo,
  withSecondWriter,
} from './identity.ts';
import { advanceProgress, hasStepped, noProgress } from './progress.ts';
import type { LastStep, PollTime, Run, RunEvent, RunPolicy, Transition } from './run.ts';

/** Takes a new snapshot. Pure: the same run, snapshot and moment give the same step. */
export function applySnapshot(
  run: Run | undefined,
  snapshot: Snapshot,
  now: PollTime,
  policy: RunPolicy,
): Transition {
  if (run === undefined) return beginRun(snapshot, now, policy, { previousRuns: [], otherWriter: undefined });
  const relation = relationTo(run, snapshot);
  if (relation === 'same') return continueRun(run, snapshot, now, policy);
  if (relation === 'named') return adoptJobId(run, snapshot, now, policy);
  if (isSecondWriter(run, snapshot, relation, now.monotonicMs))
    return ignoreOtherWriter(run, snapshot, relation, now, policy);
  const ended = endRun(run, 'replaced');
  const begun = beginRun(snapshot, now, policy, recordPrevious(run, relation));
  return { run: begun.run, events: [...ended.events, ...begun.events] };
}

/**
 * A job that gives its name late is the same one, but its name is a label, and labels are frozen: for all that is
 * exported, the named run takes the place of the nameless one, and goes on from where that was.
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

/** A snapshot of a second writer is no news of the run, whose own time goes on. */
function ignoreOtherWriter(
  run: Run,
  snapshot: Snapshot,
  departure: IdentityChange,
  now: PollTime,
  policy: RunPolicy,
): Transition {
  const seen = withSecondWriter(run, snapshot, departure, now.monotonicMs);
  const passed = applyTime(seen, { ...now, fileAgeMs: now.monotonicMs - run.seenMonotonicMs }, policy);
  return {
    run: passed.run,
    events: [{ kind: 'two_writers', other: identityOf(snapshot) }, ...passed.events],
  };
}

/** Lets time pass without a new snapshot. */
export function applyTime(run: Run | undefined, now: PollTime, policy: RunPolicy): Transition {
  if (run === undefined) return { run, events: [] };
  const fresh = now.fileAgeMs < policy.staleAfterMs;
  const stalls = run.state === 'running' && now.monotonicMs - run.lastStep.monotonicMs >= policy.stallAfterMs;
  const events: RunEvent[] = [];
  if (fresh !== run.fresh) events.push({ kind: fresh ? 'became_fresh' : 'went_stale' });
  if (stalls) events.push({ kind: 'stalled' });
  return { run: { ...run, fresh, state: stalls ? 'stalled' : run.state }, events };
}

/** Ends a run that has not ended by itself: another took its place, or the bridge is told to stop. */
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
  before: Pick<Run, 'previousRuns' | 'otherWriter'>,
): Transition {
  const { modelName, dataset, rank } = snapshot.job;
  const blank: Run = {
    identity: identityOf(snapshot),
    labels: { modelName, dataset, rank: rank ?? policy.rank },
    state: 'running',
    fresh: true,
    progress: noProgress,
    lastStep: stepAt(now),
    latest: snapshot,
    seenMonotonicMs: now.monotonicMs,
    extras: new Set(),
    nonFinite: new Map(),
    ...before,
  };
  const { run = blank, events } = continueRun(blank, snapshot, now, policy);
  return { run, events: [{ kind: 'run_began', run }, ...events] };
}

function continueRun(before: Run, snapshot: Snapshot, now: PollTime, policy: RunPolicy): Transition {
  const progress = advanceProgress(before.progress, snapshot.values);
  const stepped = hasStepped(progress, before.latest.values, snapshot.values);
  const { admitted, refused } = admitExtras(before.extras, snapshot, policy.maxExtraMetrics);
  const run: Run = {
    ...before,
    identity: { ...before.identity, startTimeMs: before.identity.startTimeMs ?? snapshot.job.startTimeMs },
    state: stateAfter(before, snapshot, stepped),
    progress,
    lastStep: stepped ? stepAt(now) : before.lastStep,
    latest: snapshot,
    seenMonotonicMs: now.monotonicMs,
    extras: admitted,
    nonFinite: countNonFinite(before.nonFinite, snapshot, admitted),
    otherWriter: otherWriterAfter(before, snapshot, now.monotonicMs),
  };
  const events: RunEvent[] = [];
  if (epochEnded(before, run))
    events.push({ kind: 'epoch_ended', epoch: before.progress.epoch as number, run: before });
  events.push(...finiteChanges(before, run));
  if (refused.length > 0) events.push({ kind: 'extras_refused', names: refused });
  if (before.state === 'stalled' && run.state === 'running') events.push({ kind: 'resumed' });
  if (isOver(run) && run.state !== before.state) events.push({ kind: 'run_ended', run, reason: 'status' });
  const passed = applyTime(run, now, policy);
  return { run: passed.run, events: [...events, ...passed.events] };
}

/** The write is when the step was made; the read is only when it was seen. */
function stepAt(now: PollTime): LastStep {
  return { unixMs: now.unixMs - now.fileAgeMs, monotonicMs: now.monotonicMs - now.fileAgeMs };
}

const isOver = ({ state }: Run) => state === 'completed' || state === 'failed';

function stateAfter(before: Run, { status }: Snapshot, stepped: boolean): Run['state'] {
  if (status === 'completed' || status === 'failed') return status;
  // What was said once need not be said again: a last write without status does not begin the run anew.
  if (status === undefined && isOver(before)) return before.state;
  return before.state === 'stalled' && !stepped ? 'stalled' : 'running';
}

function epochEnded(before: Run, after: Run): boolean {
  const [last, next] = [before.progress.epoch, after.progress.epoch];
  return last !== undefined && next !== undefined && Math.floor(next) > Math.floor(last);
}

/** First come, first served, and for good: a name that came and went keeps its place, so the series stay bounded. */
function admitExtras(admitted: ReadonlySet<string>, snapshot: Snapshot, limit: number) {
  const unseen = [...snapshot.extras.keys()].filter((name) => !admitted.has(name));
  if (unseen.length === 0) return { admitted, refused: [] };
  const room = Math.max(0, limit - admitted.size);
  return { admitted: new Set([...admitted, ...unseen.slice(0, room)]), refused: unseen.slice(room) };
}

/**
 * The values that are not finite, by the name they are counted under: the field, for one that has a metric. An extra
 * that was never finite has none, and as its name is anybody's, all of those go by one.
 */
function nonFiniteNames(
  { nonFinite }: Snapshot,
  extras: ReadonlySet<string>,
): readonly (readonly [string, number])[] {
  return [...nonFinite].map(([field, value]) => [
    isNumericField(field) || extras.has(field) ? field : 'extra',
    value,
  ]);
}

function countNonFinite(
  counts: Run['nonFinite'],
  snapshot: Snapshot,
  extras: ReadonlySet<string>,
): Run['nonFinite'] {
  if (snapshot.nonFinite.size === 0) return counts;
  const next = new Map(counts);
  for (const [name] of nonFiniteNames(snapshot, extras)) next.set(name, (next.get(name) ?? 0) + 1);
  return next;
}

function finiteChanges(before: Run, after: Run): readonly RunEvent[] {
  const isFirst = before.latest === after.latest;
  const then = new Map(isFirst ? [] : nonFiniteNames(before.latest, before.extras));
  const now = new Map(nonFiniteNames(after.latest, after.extras));
  return [
    ...[...now]
      .filter(([field]) => !then.has(field))
      .map(([field, value]) => ({ kind: 'became_non_finite', field, value }) as const),
    ...[...then.keys()]
      .filter((field) => !now.has(field))
      .map((field) => ({ kind: 'became_finite', field }) as const),
  ];
}
