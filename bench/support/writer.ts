import { renameSync, writeFileSync } from 'node:fs';
import { fileContent } from '../../src/commands/simulate/content.ts';
import { trainingSteps } from '../../src/commands/simulate/steps.ts';

export interface Writer {
  /** Replaces the file by the next step of the run, as a good writer does, and gives the number of that step. */
  write(): number;
}

const settings = {
  jobId: 'training-job-001',
  modelName: 'resnet-50',
  dataset: 'imagenet',
  totalEpochs: 1_000,
  batchesPerEpoch: 1_000,
  seed: 1,
};

/** The run that `simulate` writes, from one seed, so that every benchmark and every round sees the same values. */
export function createWriter(path: string): Writer {
  const steps = trainingSteps(settings);
  const startTimeMs = Date.now();
  return {
    write() {
      const { value: step } = steps.next();
      if (step === undefined) throw new RangeError('the run is over');
      const moment = { step, status: 'running', startTimeMs, timeMs: Date.now() } as const;
      const content = fileContent(moment, { ...settings, metricsFilePath: path, writeIntervalMs: 1_000 });
      writeFileSync(`${path}.next`, content);
      renameSync(`${path}.next`, path);
      return step.globalStep;
    },
  };
}
