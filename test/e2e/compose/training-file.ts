import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder in the place of the metrics volume, for tests that say themselves what is in the file, and when. */
export interface TrainingFile {
  readonly folder: string;
  /** What the bridge's `volumes` have to be. */
  readonly mount: readonly string[];
  /** Replaces the file by rename. */
  write(values: Readonly<Record<string, number>>): Promise<void>;
  /** Writes anything, in place. */
  writeRaw(text: string): Promise<void>;
  remove(): Promise<void>;
}

export async function createTrainingFile(jobId: string): Promise<TrainingFile> {
  const folder = await mkdtemp(join(tmpdir(), 'ml-metrics-bridge-'));
  // mkdtemp gives 0700, and the bridge is another user.
  await chmod(folder, 0o755);
  const path = join(folder, 'current.json');
  const startTime = new Date().toISOString();
  return {
    folder,
    mount: [`${folder}:/shared/metrics:ro`],
    async write(values) {
      const content = {
        timestamp: new Date().toISOString(),
        job_metadata: {
          job_id: jobId,
          model_name: 'resnet-50',
          dataset: 'imagenet',
          start_time: startTime,
        },
        training_metrics: values,
      };
      await writeFile(`${path}.new`, JSON.stringify(content));
      await rename(`${path}.new`, path);
    },
    writeRaw: (text) => writeFile(path, text),
    remove: () => rm(folder, { recursive: true }),
  };
}
