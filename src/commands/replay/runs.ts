import { basename, relative } from 'node:path';
import { findAllLogs, type OnMoreLogs } from '../../snapshot/log/find-logs.ts';
import { jobIdFromFolder } from '../../snapshot/log/identity.ts';
import type { RunLogs } from '../../snapshot/log/log-files.ts';

/** A log, and the job its records are of. */
export interface ReplayRun {
  readonly files: RunLogs;
  readonly jobId: string | undefined;
}

/**
 * Finds the logs at a path. The job of a single log is named as the bridge names it. Of several, each is a job: the path
 * of its folder, below the name that is given, so that no two are one curve.
 */
export async function findRuns(
  path: string,
  jobId: string | undefined,
  onMore: OnMoreLogs,
): Promise<readonly ReplayRun[]> {
  const logs = await findAllLogs(path, onMore);
  if (logs.length === 1)
    return logs.map((files) => ({ files, jobId: jobId ?? jobIdFromFolder(files.folder) }));
  const folders = logs.map(({ folder }) => folder);
  return logs.map((files, index) => {
    const isShared = folders.some((folder, other) => other !== index && folder === files.folder);
    const name = relative(path, files.folder) || basename(files.folder);
    const parts = [jobId, name, isShared ? basename(files.paths[0] ?? '') : undefined];
    return { files, jobId: parts.filter((part) => part !== undefined).join('/') };
  });
}
