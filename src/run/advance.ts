import { isNumericField } from '../catalogue/metrics.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import {
  type Departure,
  elsewhereAfter,
  identityOf,
  isSecondWriter,
  relationTo,
  remember,
  withSecondWriter,
} from './identity.ts';
import { advanceProgress, hasStepped, noProgress } from './progress.ts';
import type { Happening, LastStep, Now, Policy, Run, Transition } from './run.ts';

/** Takes a new snapshot. Pure: the same run, snapshot and moment give the same step. */
export function advance(run: Run | undefined, snapshot: Snapshot, now: Now, policy: Policy): Transition {
  if (run === undefined) return begin(snapshot, now, policy, { former: [], elsewhere: undefined });
  const relation = relationTo(run, snapshot);
  if (relation === 'same') return proceed(run, snapshot, now, policy);
  if (relation === 'named') return takeName(run, snapshot, now, policy);
  if (isSecondWriter(run, snapshot, relation, now.uptimeMs))
    return leaveOut(run, snapshot, relation, now, policy);
  const ended = end(run, 'replaced');
  const begun = begin(snapshot, now, policy, remember(run, relation));
  return { run: begun.run, happenings: [...ended.happenings, ...begun.happenings] };
}

/**
 * A job that gives its name late is the same one, but its name is a label, and labels are frozen: for all that is
 * exported, the named run takes the place of the nameless one, and goes on from where that was.
 */
function takeName(nameless: Run, snapshot: Snapshot, now: Now, policy: Policy): Transition {
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
  const { run = named, happenings } = proceed(named, snapshot, now, policy);
  const ended = end(nameless, 'replaced');
  return { run, happenings: [...ended.happenings, { kind: 'run_began', run }, ...happenings] };
}

/** A snapshot of a second writer is no news of the run, whose own time goes on. */
function leaveOut(run: Run, snapshot: Snapshot, departure: Departure, now: Now, policy: Policy): Transition {
  const seen = withSecondWriter(run, snapshot, departure, now.uptimeMs);
  const passed = tick(seen, { ...now, fileAgeMs: now.uptimeMs - run.seenUptimeMs }, policy);
  return {
    run: passed.run,
    happenings: [{ kind: 'two_writers', other: identityOf(snapshot) }, ...passed.happenings],
  };
}

/** Lets time pass without a new snapshot. */
export function tick(run: Run | undefined, now: Now, policy: Policy): Transition {
  if (run === undefined) return { run, happenings: [] };
  const fresh = now.fileAgeMs < policy.staleAfterMs;
  const stalls = run.state === 'running' && now.uptimeMs - run.lastStep.uptimeMs >= policy.stallAfterMs;
  const happenings: Happening[] = [];
  if (fresh !== run.fresh) happenings.push({ kind: fresh ? 'became_fresh' : 'went_stale' });
  if (stalls) happenings.push({ kind: 'stalled' });
  return { run: { ...run, fresh, state: stalls ? 'stalled' : run.state }, happenings };
}

/** Ends a run that has not ended by itself: another took its place, or the bridge is told to stop. */
export function end(
  run: Run,
  reason: 'replaced' | 'stopped',
): { readonly run: Run; readonly happenings: readonly Happening[] } {
  if (run.state !== 'running' && run.state !== 'stalled') return { run, happenings: [] };
  const ended: Run = { ...run, state: 'ended' };
  return { run: ended, happenings: [{ kind: 'run_ended', run: ended, reason }] };
}

function begin(
  snapshot: Snapshot,
  now: Now,
  policy: Policy,
  before: Pick<Run, 'former' | 'elsewhere'>,
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
    seenUptimeMs: now.uptimeMs,
    extras: new Set(),
    nonFinite: new Map(),
    ...before,
  };
  const { run = blank, happenings } = proceed(blank, snapshot, now, policy);
  return { run, happenings: [{ kind: 'run_began', run }, ...happenings] };
}

function proceed(before: Run, snapshot: Snapshot, now: Now, policy: Policy): Transition {
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
    seenUptimeMs: now.uptimeMs,
    extras: admitted,
    nonFinite: countNonFinite(before.nonFinite, snapshot, admitted),
    elsewhere: elsewhereAfter(before, snapshot, now.uptimeMs),
  };
  const happenings: Happening[] = [];
  if (epochEnded(before, run))
    happenings.push({ kind: 'epoch_ended', epoch: before.progress.epoch as number, run: before });
  happenings.push(...finiteChanges(before, run));
  if (refused.length > 0) happenings.push({ kind: 'extras_refused', names: refused });
  if (before.state === 'stalled' && run.state === 'running') happenings.push({ kind: 'resumed' });
  if (isOver(run) && run.state !== before.state)
    happenings.push({ kind: 'run_ended', run, reason: 'status' });
  const passed = tick(run, now, policy);
  return { run: passed.run, happenings: [...happenings, ...passed.happenings] };
}

/** The write is when the step was made; the read is only when it was seen. */
function stepAt(now: Now): LastStep {
  return { unixMs: now.unixMs - now.fileAgeMs, uptimeMs: now.uptimeMs - now.fileAgeMs };
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

function finiteChanges(before: Run, after: Run): readonly Happening[] {
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
