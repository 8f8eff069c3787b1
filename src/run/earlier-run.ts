import { maxWriteBeforeStartMs } from '../snapshot/file-age.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { admitExtras } from './fields.ts';
import type { PollTime, Run, RunPolicy, Transition } from './run.ts';

/** Milliseconds from the last write to the start of the bridge; undefined if they cannot be compared. */
function beforeStartMs({ monotonicMs, fileAgeMs, startedMonotonicMs }: PollTime): number | undefined {
  return startedMonotonicMs === undefined ? undefined : startedMonotonicMs - (monotonicMs - fileAgeMs);
}

/** Whether a file was left by an earlier run, for example on a persistent volume. */
export const isFromEarlierRun = (now: PollTime): boolean => (beforeStartMs(now) ?? 0) > maxWriteBeforeStartMs;

/** Whether a file that was left by an earlier run was written again, if only with the same content. */
export function isWrittenAgain({ state }: Run, now: PollTime): boolean {
  return state === 'waiting' && (beforeStartMs(now) ?? Number.POSITIVE_INFINITY) <= maxWriteBeforeStartMs;
}

/** A run that waits for the first write. The gauges of the file are exported, but it has no progress and does not end. */
export function awaitRun(blank: Run, snapshot: Snapshot, now: PollTime, policy: RunPolicy): Transition {
  const run: Run = {
    ...blank,
    state: 'waiting',
    fresh: now.fileAgeMs < policy.staleAfterMs,
    extras: admitExtras(blank.extras, snapshot, policy.maxExtraMetrics).admitted,
  };
  return { run, events: [{ kind: 'earlier_run', ageMs: now.fileAgeMs, run }] };
}
