import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/common/clock.ts';
import { createFileFollower, type FileFollower } from '../../src/snapshot/log/follow-file.ts';
import type { Turn } from './rewrite-writer.ts';

/** How a log was read that another process wrote anew again and again. */
export interface RaceResult {
  /** Of all turns. */
  readonly rows: number;
  readonly missing: number;
  readonly twice: number;
  /** Reads that gave no row, most of which saw the file empty or in part. */
  readonly reads: number;
}

/**
 * Lets another process write a CSV file anew, as Lightning does for a new column: it truncates the file and writes all rows
 * again in pieces of 8 KiB, one more each turn, while the file is read without a pause.
 */
export async function raceRewrites(path: string, turns: number, firstRows: number): Promise<RaceResult> {
  const writer = fork(fileURLToPath(new URL('rewrite-writer.ts', import.meta.url)), [], { execArgv: [] });
  const follower = createFileFollower({ path, format: 'csv', clock: systemClock });
  const seen = new Map<unknown, number>();
  let reads = 0;
  try {
    for (let turn = 0; turn < turns; turn++) {
      let isWritten = false;
      const written = writeAnew(writer, { path, rows: firstRows + turn, extraColumns: turn % 5 }).then(() => {
        isWritten = true;
      });
      while (!isWritten) {
        if (!(await readInto(follower, seen))) reads += 1;
        await nextTurn();
      }
      await written;
      while (await readInto(follower, seen));
    }
  } finally {
    writer.kill();
    await follower.close();
  }
  const rows = firstRows + turns - 1;
  const counts = Array.from({ length: rows }, (_, step) => seen.get(step) ?? 0);
  return {
    rows,
    missing: counts.filter((count) => count === 0).length,
    twice: counts.filter((count) => count > 1).length,
    reads,
  };
}

/** Whether there was something to read. */
async function readInto(follower: FileFollower, seen: Map<unknown, number>): Promise<boolean> {
  const result = await follower.read(10_000);
  if (result.status !== 'ok') return false;
  for (const { fields } of result.records) seen.set(fields.step, (seen.get(fields.step) ?? 0) + 1);
  return result.records.length > 0 || result.more;
}

async function writeAnew(writer: ChildProcess, turn: Turn): Promise<void> {
  const done = once(writer, 'message');
  writer.send(turn);
  await done;
}
