// npm run fuzz -- [--files 1000000] [--seed N] [--session N]
// Reads mutated files through the bridge and holds what it exports against them, and a mutated log in each session. Prints a
// line of JSON.
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { keepFixture } from './fixture.ts';
import { filesOf, filesPerSession, type SessionCount } from './session.ts';
import type { Assignment, Message } from './worker.ts';

/** A session takes milliseconds. One that is still the same after this long does not come to an end. */
const hungAfterMs = 60_000;

const { values } = parseArgs({
  options: { files: { type: 'string' }, seed: { type: 'string' }, session: { type: 'string' } },
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
const only = values.session === undefined ? undefined : Number(values.session);
const sessions = Math.ceil(Number(values.files ?? 1_000_000) / filesPerSession);
const workers = only === undefined ? Math.min(availableParallelism(), sessions) : 1;

/** @returns undefined where the worker failed or hung */
function run(assignment: Omit<Assignment, 'progress'>): Promise<SessionCount | undefined> {
  const progress = new Int32Array(new SharedArrayBuffer(4)).fill(-1);
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { ...assignment, progress },
  });
  return new Promise((resolve) => {
    let seen = { session: -1, sinceMs: performance.now() };
    const fail = (problem: string) => {
      clearInterval(watchdog);
      const session = Atomics.load(progress, 0);
      keepFixture(`seed-${seed}-session-${session}`, filesOf(seed, session), problem);
      console.error(`  replay: npm run fuzz -- --seed ${seed} --session ${session}`);
      void worker.terminate();
      resolve(undefined);
    };
    const watchdog = setInterval(() => {
      const session = Atomics.load(progress, 0);
      if (session !== seen.session) seen = { session, sinceMs: performance.now() };
      else if (performance.now() - seen.sinceMs > hungAfterMs) fail('a hang');
    }, 1_000);
    worker.on('error', (error) => fail(`a crash: ${error}`));
    worker.on('message', (message: Message) => {
      if (message.status === 'failed') return fail(message.problem);
      clearInterval(watchdog);
      resolve(message.count);
    });
  });
}

console.error(`seed ${seed}`);
const started = performance.now();
const counts = await Promise.all(
  Array.from({ length: workers }, (_, worker) =>
    run({ seed, first: only ?? worker, last: only ?? sessions - 1, step: workers }),
  ),
);
const failures = counts.filter((count) => count === undefined).length;
const sum = (of: keyof SessionCount) => counts.reduce((total, count) => total + (count?.[of] ?? 0), 0);
const seconds = Math.round((performance.now() - started) / 1_000);
const total = { files: sum('files'), snapshots: sum('snapshots'), runs: sum('runs'), points: sum('points') };
console.log(JSON.stringify({ seed, ...total, failures, seconds }));
if (failures > 0) process.exitCode = 1;
