import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { runLogSession } from './log-session.ts';
import { filesOf, runSession, type SessionCount } from './session.ts';

export interface Assignment {
  readonly seed: number;
  /** The sessions from the first to the last, a step apart. */
  readonly first: number;
  readonly last: number;
  readonly step: number;
  /** Shared with who watches: the session that is under way. */
  readonly progress: Int32Array;
}

export type Message =
  | { readonly status: 'done'; readonly count: SessionCount }
  | { readonly status: 'failed'; readonly problem: string };

const { seed, first, last, step, progress } = workerData as Assignment;
const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-fuzz-'));

async function work(): Promise<Message> {
  const count = { files: 0, snapshots: 0, runs: 0, points: 0 };
  try {
    for (let session = first; session <= last; session += step) {
      Atomics.store(progress, 0, session);
      const added = await runSession(filesOf(seed, session), join(folder, 'current.json'));
      await runLogSession(seed, session);
      for (const key of Object.keys(count) as (keyof SessionCount)[]) count[key] += added[key];
    }
    return { status: 'done', count };
  } catch (error) {
    return {
      status: 'failed',
      problem: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

parentPort?.postMessage(await work());
