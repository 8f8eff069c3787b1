import { basename, dirname } from 'node:path';
import type { Snapshot } from '../snapshot.ts';

/** What names a run in a job, if the log itself does not. */
export interface LogJob {
  readonly jobId: string | undefined;
  readonly modelName: string | undefined;
  readonly dataset: string | undefined;
}

/** A record of the job. What the log itself says about its job comes first. */
export function withJob(snapshot: Snapshot, given: LogJob, startTimeMs: number): Snapshot {
  const { job } = snapshot;
  return {
    ...snapshot,
    job: {
      ...job,
      jobId: job.jobId ?? given.jobId,
      modelName: job.modelName ?? given.modelName,
      dataset: job.dataset ?? given.dataset,
      startTimeMs: job.startTimeMs ?? startTimeMs,
    },
  };
}

/** Names of folders that say nothing about the job, because every job of a framework has them. */
const genericNames =
  /^(version_\d+|\d{8}_\d{6}|vis_data|(lightning_)?logs?|runs?|out(puts?)?|results?|train|val(idation)?|eval|test|detect|metrics|tensorboard|tb|events|checkpoints?|shared|data|tmp|workspace|work_dirs?|app|root|home|mnt|var|volumes?|\.+|)$/i;

/** The name of a folder, or of the nearest one above it, that is not generic; undefined if all are. */
export function jobIdFromFolder(folder: string): string | undefined {
  const name = basename(folder);
  if (!genericNames.test(name)) return name;
  const parent = dirname(folder);
  return parent === folder ? undefined : jobIdFromFolder(parent);
}
