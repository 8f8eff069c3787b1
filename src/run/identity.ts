import type { Snapshot } from '../snapshot/snapshot.ts';
import { stableIdentity } from './changing-identity.ts';
import type { Run, RunIdentity, WriterPosition } from './run.ts';

export function identityOf({ job }: Snapshot): RunIdentity {
  return { jobId: job.jobId, startTimeMs: job.startTimeMs };
}

/** Why a snapshot does not continue a run: its epoch is lower, or its identity is another. */
export type IdentityChange = 'fell_back' | 'other';

/**
 * How a snapshot relates to a run. An absent job_id or start_time is no contradiction. Unless both have a start time,
 * a lower epoch is the only sign of a restart. `named`: the same run, which now has a job_id.
 */
export function relationTo(run: Run, snapshot: Snapshot): 'same' | 'named' | IdentityChange {
  const { jobId, startTimeMs } = stableIdentity(run, snapshot);
  if (differ(run.identity.jobId, jobId) || differ(run.identity.startTimeMs, startTimeMs)) return 'other';
  const sameStart = run.identity.startTimeMs !== undefined && startTimeMs !== undefined;
  if (!sameStart && isBelow(snapshot.values.epoch, run.progress.epoch)) return 'fell_back';
  return run.identity.jobId === undefined && jobId !== undefined ? 'named' : 'same';
}

/** Compares whole epochs; false if one of them is unknown. */
function isBelow(epoch: number | undefined, other: number | undefined): boolean {
  return epoch !== undefined && other !== undefined && Math.floor(epoch) < Math.floor(other);
}

function differ<T>(a: T | undefined, b: T | undefined): boolean {
  return a !== undefined && b !== undefined && a !== b;
}

function sameIdentity(a: RunIdentity, b: RunIdentity): boolean {
  return a.jobId === b.jobId && a.startTimeMs === b.startTimeMs;
}

const maxPreviousRuns = 8;

/** If a previous run is written again within this time, it did not restart: two jobs write the same file. */
const twoWritersWithinMs = 300_000;

/** What the next run records of this one, to recognize it if it is written again. */
export function recordPrevious(run: Run, change: IdentityChange): Pick<Run, 'previousRuns' | 'otherWriter'> {
  const others = run.previousRuns.filter(({ identity }) => !sameIdentity(identity, run.identity));
  return {
    previousRuns: [{ identity: run.identity, seenMonotonicMs: run.seenMonotonicMs }, ...others].slice(
      0,
      maxPreviousRuns,
    ),
    otherWriter: change === 'fell_back' ? writerPositionOf(run) : undefined,
  };
}

/**
 * The position of a possible second writer, after a snapshot that continues the run. A restarted job that passes its
 * earlier epoch and a second writer that continues from there look the same. If the epoch then falls back to where it
 * was before, there are two writers.
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
  return passes ? writerPositionOf(run) : otherWriter;
}

function writerPositionOf({ progress, latest, seenMonotonicMs }: Run): WriterPosition | undefined {
  const batch = latest.values.batch_number;
  return progress.epoch === undefined ? undefined : { epoch: progress.epoch, batch, seenMonotonicMs };
}

/** A job that restarts repeatedly begins before its last position each time; a second writer continues from its own. */
function continuesFrom({ epoch, batch }: WriterPosition, { values }: Snapshot): boolean {
  if (isBelow(values.epoch, epoch)) return false;
  return isBelow(epoch, values.epoch) || (values.batch_number ?? 0) >= (batch ?? 0);
}

/**
 * Whether a snapshot that does not continue `run` comes from a second writer: one that was seen recently, while `run`
 * itself is still written. If `run` is no longer written, the snapshot's run replaces it.
 */
export function isSecondWriter(
  run: Run,
  snapshot: Snapshot,
  change: IdentityChange,
  monotonicMs: number,
): boolean {
  const isRecent = ({ seenMonotonicMs }: { readonly seenMonotonicMs: number }) =>
    monotonicMs - seenMonotonicMs < twoWritersWithinMs;
  if (!isRecent(run)) return false;
  const { previousRuns, otherWriter } = run;
  if (change === 'fell_back')
    return otherWriter !== undefined && isRecent(otherWriter) && continuesFrom(otherWriter, snapshot);
  const identity = identityOf(snapshot);
  return previousRuns.some((it) => sameIdentity(it.identity, identity) && isRecent(it));
}

/** Records that the second writer was seen at this time. */
export function withSecondWriter(
  run: Run,
  snapshot: Snapshot,
  change: IdentityChange,
  monotonicMs: number,
): Run {
  const { epoch, batch_number: batch } = snapshot.values;
  if (change === 'fell_back' && epoch !== undefined)
    return { ...run, otherWriter: { epoch, batch, seenMonotonicMs: monotonicMs } };
  const identity = identityOf(snapshot);
  const previousRuns = run.previousRuns.map((it) =>
    sameIdentity(it.identity, identity) ? { ...it, seenMonotonicMs: monotonicMs } : it,
  );
  return { ...run, previousRuns };
}
