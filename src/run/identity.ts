import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Run, RunIdentity, WriterPosition } from './run.ts';

export function identityOf({ job }: Snapshot): RunIdentity {
  return { jobId: job.jobId, startTimeMs: job.startTimeMs };
}

/** How a snapshot does not go on with a run: by an epoch that fell, or by an identity that is another. */
export type IdentityChange = 'fell_back' | 'other';

/**
 * How a snapshot stands to a run. What a snapshot does not say is no contradiction; what the run did not have, it takes.
 * Without a start time on both sides, an epoch that falls is the only sign of a restart there is.
 */
export function relationTo(run: Run, snapshot: Snapshot): 'same' | 'named' | IdentityChange {
  const { jobId, startTimeMs } = identityOf(snapshot);
  if (differ(run.identity.jobId, jobId) || differ(run.identity.startTimeMs, startTimeMs)) return 'other';
  const sameStart = run.identity.startTimeMs !== undefined && startTimeMs !== undefined;
  if (!sameStart && isBelow(snapshot.values.epoch, run.progress.epoch)) return 'fell_back';
  return run.identity.jobId === undefined && jobId !== undefined ? 'named' : 'same';
}

/** By whole epochs; one that is not known is not below. */
function isBelow(epoch: number | undefined, other: number | undefined): boolean {
  return epoch !== undefined && other !== undefined && Math.floor(epoch) < Math.floor(other);
}

function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

export function sameIdentity(a: RunIdentity, b: RunIdentity): boolean {
  return a.jobId === b.jobId && a.startTimeMs === b.startTimeMs;
}

const maxFormer = 8;

/** A run that comes back this soon did not come back: somebody else writes the same file. */
const twoWritersWithinMs = 300_000;

/** What a run leaves to the one that takes its place, to know it again by. */
export function recordPrevious(
  run: Run,
  departure: IdentityChange,
): Pick<Run, 'previousRuns' | 'otherWriter'> {
  const others = run.previousRuns.filter(({ identity }) => !sameIdentity(identity, run.identity));
  return {
    previousRuns: [{ identity: run.identity, seenMonotonicMs: run.seenMonotonicMs }, ...others].slice(
      0,
      maxFormer,
    ),
    otherWriter: departure === 'fell_back' ? positionOf(run) : undefined,
  };
}

/**
 * Where else the file was, after a snapshot that goes on with the run. A restarted job that passes the epoch it fell
 * from, and a second writer that goes on from there, look alike; if the epoch then falls to where it was before it
 * passed, there are two.
 */
export function otherWriterAfter(
  run: Run,
  { values }: Snapshot,
  monotonicMs: number,
): WriterPosition | undefined {
  const { otherWriter, progress } = run;
  if (otherWriter === undefined || monotonicMs - otherWriter.seenMonotonicMs >= twoWritersWithinMs)
    return undefined;
  const passes = isBelow(progress.epoch, otherWriter.epoch) && !isBelow(values.epoch ?? 0, otherWriter.epoch);
  return passes ? positionOf(run) : otherWriter;
}

function positionOf({ progress, latest, seenMonotonicMs }: Run): WriterPosition | undefined {
  const batch = latest.values.batch_number;
  return progress.epoch === undefined ? undefined : { epoch: progress.epoch, batch, seenMonotonicMs };
}

/** A job that is restarted again and again begins each time before where it last was; a second writer goes on. */
function goesOnFrom({ epoch, batch }: WriterPosition, { values }: Snapshot): boolean {
  if (isBelow(values.epoch, epoch)) return false;
  return isBelow(epoch, values.epoch) || (values.batch_number ?? 0) >= (batch ?? 0);
}

/**
 * Whether a snapshot that departs from `run` is of a writer that was seen a short while ago, while `run` itself is still
 * being written. Where it is not, the other is the one that lives, and takes its place again.
 */
export function isSecondWriter(
  run: Run,
  snapshot: Snapshot,
  departure: IdentityChange,
  monotonicMs: number,
): boolean {
  const isRecent = ({ seenMonotonicMs }: { readonly seenMonotonicMs: number }) =>
    monotonicMs - seenMonotonicMs < twoWritersWithinMs;
  if (!isRecent(run)) return false;
  const { previousRuns, otherWriter } = run;
  if (departure === 'fell_back')
    return otherWriter !== undefined && isRecent(otherWriter) && goesOnFrom(otherWriter, snapshot);
  const identity = identityOf(snapshot);
  return previousRuns.some((it) => sameIdentity(it.identity, identity) && isRecent(it));
}

/** The run, with its second writer seen now. */
export function withSecondWriter(
  run: Run,
  snapshot: Snapshot,
  departure: IdentityChange,
  monotonicMs: number,
): Run {
  const { epoch, batch_number: batch } = snapshot.values;
  if (departure === 'fell_back' && epoch !== undefined)
    return { ...run, otherWriter: { epoch, batch, seenMonotonicMs: monotonicMs } };
  const identity = identityOf(snapshot);
  const previousRuns = run.previousRuns.map((it) =>
    sameIdentity(it.identity, identity) ? { ...it, seenMonotonicMs: monotonicMs } : it,
  );
  return { ...run, previousRuns };
}
