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

/** Names of folders that every job of a framework has. */
const common =
  /^(version_\d+|\d{8}_\d{6}|vis_data|(lightning_)?logs?|runs?|out(puts?)?|results?|train|val(idation)?|eval|test|detect|metrics|tensorboard|tb|events|checkpoints?|shared|data|tmp|workspace|work_dirs?|app|root|home|mnt|var|volumes?|\.+|)$/i;

/** The nearest folder of a file whose name says something about the job; undefined if there is none. */
export function tellingFolder(path: string): string | undefined {
  const folder = dirname(path);
  if (folder === path) return undefined;
  const name = basename(folder);
  return common.test(name) ? tellingFolder(folder) : name;
}
