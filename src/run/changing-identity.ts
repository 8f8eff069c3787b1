import type { Snapshot } from '../snapshot/snapshot.ts';
import type { IdentityField, Run, RunIdentity } from './run.ts';

/**
 * After this many runs of one snapshot each, in a row and with progress that goes on, the identity changes with every
 * write: a writer computes start_time at each write, for example. Short trials of a sweep start their progress again.
 */
const maxShortRuns = 5;

/** How many runs in a row had one snapshot each, if `snapshot` begins another one. */
export function shortRunsAfter(run: Run, snapshot: Snapshot): number {
  return run.snapshots === 1 && hasAdvanced(run.latest.values, snapshot.values) ? run.shortRuns + 1 : 0;
}

/** The fields of the identity that change with every write. Call it after `maxShortRuns` runs have shown that. */
export function changingFieldsOf(run: Run, { job }: Snapshot): readonly IdentityField[] {
  const { jobId, startTimeMs } = run.identity;
  const changed: Readonly<Record<IdentityField, boolean>> = {
    job_id: jobId !== job.jobId,
    start_time: startTimeMs !== job.startTimeMs,
  };
  return identityFields.filter((field) => changed[field] || run.changingFields.includes(field));
}

const identityFields = ['job_id', 'start_time'] as const satisfies readonly IdentityField[];

export const isChanging = (shortRuns: number): boolean => shortRuns >= maxShortRuns;

/** The part of a snapshot's identity that identifies the run. */
export function stableIdentity({ changingFields }: Run, { job }: Snapshot): RunIdentity {
  return {
    jobId: changingFields.includes('job_id') ? undefined : job.jobId,
    startTimeMs: changingFields.includes('start_time') ? undefined : job.startTimeMs,
  };
}

function hasAdvanced(before: Snapshot['values'], after: Snapshot['values']): boolean {
  const steps = compare(before.global_step, after.global_step);
  if (steps !== undefined) return steps > 0;
  const epochs = compare(before.epoch, after.epoch);
  if (epochs !== undefined && epochs !== 0) return epochs > 0;
  return (compare(before.batch_number, after.batch_number) ?? 0) > 0;
}

const compare = (before: number | undefined, after: number | undefined) =>
  before === undefined || after === undefined ? undefined : Math.sign(after - before);
