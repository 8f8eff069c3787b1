import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { onTestFinished } from 'vitest';
import { createLogSource } from '../../../src/snapshot/log/log-source.ts';
import type { TimedSnapshot } from '../../../src/snapshot/source.ts';

export interface FollowedLog {
  /** All snapshots so far. */
  readonly snapshots: readonly TimedSnapshot[];
  /** Polls until there is nothing new in two polls. 11 s pass before each, so that each looks for other files. */
  poll(): Promise<void>;
  /** Writes a file whose last write is at the present moment of the source, or seconds after it. */
  write(path: string, content: string | Uint8Array, secondsLater?: number): void;
}

/** Follows a file, folder or pattern from its beginning, with a clock of its own. */
export function followLog(path: string): FollowedLog {
  let nowMs = Date.now();
  const source = createLogSource({
    path,
    clock: () => ({ unixMs: nowMs, monotonicMs: nowMs }),
    startedUnixMs: nowMs,
    format: 'auto',
    start: 'beginning',
    job: { jobId: undefined, modelName: undefined, dataset: undefined },
  });
  onTestFinished(() => source.close?.());
  const snapshots: TimedSnapshot[] = [];
  return {
    snapshots,
    async poll() {
      for (let quiet = 0; quiet < 2; quiet++) {
        nowMs += 11_000;
        const { outcome } = await source.poll();
        if (outcome.status !== 'ok') continue;
        snapshots.push(...outcome.snapshots);
        quiet = -1;
      }
    },
    write(file, content, secondsLater = 0) {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { flag: 'a' });
      const seconds = nowMs / 1_000 + secondsLater;
      utimesSync(file, seconds, seconds);
    },
  };
}

/** The starts of the runs, in order. */
export const runsOf = ({ snapshots }: FollowedLog): readonly unknown[] => [
  ...new Set(snapshots.map(({ snapshot }) => snapshot.job.startTimeMs)),
];

export const resumesOf = ({ snapshots }: FollowedLog) =>
  snapshots.flatMap(({ snapshot }) => snapshot.resume ?? []);

export const stepsOf = ({ snapshots }: FollowedLog) =>
  snapshots.map(({ snapshot }) => snapshot.values.global_step ?? snapshot.values.epoch);
