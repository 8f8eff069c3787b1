import type { Snapshot } from '../snapshot/snapshot.ts';
import type { FormerRun, Run, RunIdentity } from './run.ts';

export function identityOf({ job }: Snapshot): RunIdentity {
  return { jobId: job.jobId, startTimeMs: job.startTimeMs };
}

/**
 * Whether a snapshot goes on with a run. What a snapshot does not say is no contradiction. Without a start time on
 * both sides, an epoch that falls is the only sign of a restart there is.
 */
export function continues(run: Run, snapshot: Snapshot): boolean {
  const identity = identityOf(snapshot);
  if (differ(run.identity.jobId, identity.jobId) || differ(run.identity.startTimeMs, identity.startTimeMs))
    return false;
  const sameStart = run.identity.startTimeMs !== undefined && identity.startTimeMs !== undefined;
  const { epoch } = snapshot.values;
  return (
    sameStart ||
    epoch === undefined ||
    run.progress.epoch === undefined ||
    Math.floor(epoch) >= Math.floor(run.progress.epoch)
  );
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

export function remember(run: Run): readonly FormerRun[] {
  const others = run.former.filter(({ identity }) => !sameIdentity(identity, run.identity));
  return [{ identity: run.identity, seenUptimeMs: run.seenUptimeMs }, ...others].slice(0, maxFormer);
}

/**
 * Whether a snapshot that does not go on with `run` is of one that was replaced a short while ago, while `run` itself is
 * still being written. Where it is not, the former is the one that lives, and takes its place again.
 */
export function isSecondWriter(run: Run, snapshot: Snapshot, uptimeMs: number): boolean {
  const identity = identityOf(snapshot);
  if (sameIdentity(identity, run.identity) || uptimeMs - run.seenUptimeMs >= twoWritersWithinMs) return false;
  return run.former.some(
    (former) =>
      sameIdentity(former.identity, identity) && uptimeMs - former.seenUptimeMs < twoWritersWithinMs,
  );
}
