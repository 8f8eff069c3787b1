import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import type { SimulationSettings } from '../../../src/commands/simulate/settings.ts';
import type { Sleep, Write } from '../../../src/commands/simulate/simulate.ts';

/** The path of a file in a folder of its own that does not exist yet. */
export async function metricsFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'simulate-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, 'metrics', 'current.json');
}

export const settingsFor = (
  metricsFilePath: string,
  changes: Partial<SimulationSettings> = {},
): SimulationSettings => ({
  jobId: 'job-1',
  modelName: 'model-1',
  dataset: 'data-1',
  metricsFilePath,
  writeIntervalMs: 1000,
  totalEpochs: 4,
  batchesPerEpoch: 5,
  seed: 7,
  ...changes,
});

/** Passes the time at once, but lets others have their turn. */
export const noSleep: Sleep = async () => {
  await setImmediate();
};

/** A collector of writes, to be given as `onWrite`. */
export function recorder() {
  const writes: Write[] = [];
  return { writes, onWrite: (write: Write) => void writes.push(write) };
}

export const readText = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

export function isWhole(content: string): boolean {
  try {
    JSON.parse(content);
    return true;
  } catch {
    return false;
  }
}
