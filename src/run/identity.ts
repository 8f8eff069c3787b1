import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Position, Run, RunIdentity } from './run.ts';

export function identityOf({ job }: Snapshot): RunIdentity {
  return { jobId: job.jobId, startTimeMs: job.startTimeMs };
}

/** How a snapshot does not go on with a run: by an epoch that fell, or by an identity that is another. */
export type Departure = 'fell_back' | 'other';

/**
 * How a snapshot stands to a run. What a snapshot does not say is no contradiction; what the run did not have, it takes.
 * Without a start time on both sides, an epoch that falls is the only sign of a restart there is.
 */
export function relationTo(run: Run, snapshot: Snapshot): 'same' | 'named' | Departure {
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
export function remember(run: Run, departure: Departure): Pick<Run, 'former' | 'elsewhere'> {
  const others = run.former.filter(({ identity }) => !sameIdentity(identity, run.identity));
  return {
    former: [{ identity: run.identity, seenUptimeMs: run.seenUptimeMs }, ...others].slice(0, maxFormer),
    elsewhere: departure === 'fell_back' ? positionOf(run) : undefined,
  };
}

/**
 * Where else the file was, after a snapshot that goes on with the run. A restarted job that passes the epoch it fell
 * from, and a second writer that goes on from there, look alike; if the epoch then falls to where it was before it
 * passed, there are two.
 */
export function elsewhereAfter(run: Run, { values }: Snapshot, uptimeMs: number): Position | undefined {
  const { elsewhere, progress } = run;
  if (elsewhere === undefined || uptimeMs - elsewhere.seenUptimeMs >= twoWritersWithinMs) return undefined;
  const passes = isBelow(progress.epoch, elsewhere.epoch) && !isBelow(values.epoch ?? 0, elsewhere.epoch);
  return passes ? positionOf(run) : elsewhere;
}

function positionOf({ progress, latest, seenUptimeMs }: Run): Position | undefined {
  const batch = latest.values.batch_number;
  return progress.epoch === undefined ? undefined : { epoch: progress.epoch, batch, seenUptimeMs };
}

/** A job that is restarted again and again begins each time before where it last was; a second writer goes on. */
function goesOnFrom({ epoch, batch }: Position, { values }: Snapshot): boolean {
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
  departure: Departure,
  uptimeMs: number,
): boolean {
  const isRecent = ({ seenUptimeMs }: { readonly seenUptimeMs: number }) =>
    uptimeMs - seenUptimeMs < twoWritersWithinMs;
  if (!isRecent(run)) return false;
  const { former, elsewhere } = run;
  if (departure === 'fell_back')
    return elsewhere !== undefined && isRecent(elsewhere) && goesOnFrom(elsewhere, snapshot);
  const identity = identityOf(snapshot);
  return former.some((it) => sameIdentity(it.identity, identity) && isRecent(it));
}

/** The run, with its second writer seen now. */
export function withSecondWriter(run: Run, snapshot: Snapshot, departure: Departure, uptimeMs: number): Run {
  const { epoch, batch_number: batch } = snapshot.values;
  if (departure === 'fell_back' && epoch !== undefined)
    return { ...run, elsewhere: { epoch, batch, seenUptimeMs: uptimeMs } };
  const identity = identityOf(snapshot);
  const former = run.former.map((it) =>
    sameIdentity(it.identity, identity) ? { ...it, seenUptimeMs: uptimeMs } : it,
  );
  return { ...run, former };
}
