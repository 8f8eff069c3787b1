import { writeFileSync } from 'node:fs';
import { defaultResource } from '@opentelemetry/resources';
import { mulberry32 } from '../../src/commands/simulate/random.ts';
import { applySnapshot } from '../../src/run/advance.ts';
import type { Run } from '../../src/run/run.ts';
import { interpret } from '../../src/snapshot/interpret.ts';
import { readMetricsFile } from '../../src/snapshot/json-file.ts';
import { parsePythonJson } from '../../src/snapshot/parse.ts';
import { createRunInstruments, type RunInstrumentsOptions } from '../../src/telemetry/instruments.ts';
import { mutatedFile } from './mutate.ts';
import { createPointChecker } from './point-checker.ts';

/** Files that are read one after the other, as writes of one job. */
export const filesPerSession = 8;

const policy = { staleAfterMs: 300_000, stallAfterMs: 600_000, maxExtraMetrics: 50, rank: undefined };

/** The files of a session; the same seed and index give the same files on every machine. */
export function filesOf(seed: number, index: number): readonly Buffer[] {
  const random = mulberry32(Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  return Array.from({ length: filesPerSession }, (_, step) => mutatedFile(random, step));
}

/** How many files were read, and how many of them could be. */
export interface SessionCount {
  readonly files: number;
  readonly snapshots: number;
  readonly runs: number;
  readonly points: number;
}

const instrumentsOptions: RunInstrumentsOptions = {
  resource: defaultResource(),
  histogramAggregation: 'explicit_bucket_histogram',
  version: '0.0.0',
};

/**
 * Takes files through the bridge from the disk to what its instruments export, in a run of their own, and holds every
 * point against the files. Throws at the first that is not in them, and at one of them that is missing.
 *
 * @param path where each is written, to be read from there
 */
export async function runSession(files: readonly Uint8Array[], path: string): Promise<SessionCount> {
  const checker = createPointChecker();
  const count = { files: files.length, snapshots: 0, runs: 0, points: 0 };
  let run: Run | undefined;
  let instruments = createRunInstruments(instrumentsOptions);
  for (const [index, bytes] of files.entries()) {
    const snapshot = await readSnapshot(bytes, path);
    if (checker.mustBeRead(bytes) !== (snapshot !== undefined))
      throw new Error(`file ${index} was ${snapshot ? '' : 'not '}read, against JSON`);
    if (snapshot === undefined) continue;
    count.snapshots += 1;
    const now = { unixMs: 1_800_000_000_000 + index * 1_000, monotonicMs: index * 1_000, fileAgeMs: 0 };
    const transition = applySnapshot(run, snapshot, now, policy);
    const isNameless = run !== undefined && run.identity.jobId === undefined;
    run = transition.run;
    if (transition.events.some(({ kind }) => kind === 'run_began')) {
      instruments = createRunInstruments(instrumentsOptions);
      count.runs += 1;
      // A run that takes its name late goes on with what it has counted.
      checker.runBegan(isNameless);
    }
    instruments.setRun(run);
    const isTaken = run?.latest === snapshot;
    if (isTaken) {
      instruments.record(snapshot);
      checker.taken(bytes);
    }
    count.points += checker.exported(await instruments.collect());
  }
  return count;
}

async function readSnapshot(bytes: Uint8Array, path: string) {
  writeFileSync(path, bytes);
  const read = await readMetricsFile(path);
  if (read.status !== 'ok') {
    if (read.status === 'empty' && bytes.length === 0) return undefined;
    throw new Error(`a file of ${bytes.length} bytes is ${read.status}`);
  }
  const parsed = parsePythonJson(read.bytes);
  if (parsed.status !== 'ok') return undefined;
  const interpreted = interpret(parsed.value);
  return interpreted.status === 'ok' ? interpreted.snapshot : undefined;
}
