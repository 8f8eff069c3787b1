import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { Program } from './bundle.ts';

export interface Running {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Ends it by SIGTERM, and by SIGKILL where it does not go. */
  stop(): Promise<void>;
}

const stopTimeoutMs = 5_000;

/** Starts a program with nothing but its own environment; `more` is added to it. */
export function start(program: Program, more: Readonly<Record<string, string>> = {}): Running {
  const { command, args, environment } = program;
  const child = spawn(command, args, {
    env: { PATH: process.env.PATH, ...environment, ...more },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  child.stdout?.resume();
  if (child.pid === undefined) throw new Error(`${command} cannot be started`);
  const gone = once(child, 'close');
  return {
    pid: child.pid,
    child,
    async stop() {
      child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await gone;
      clearTimeout(kill);
    },
  };
}

/** Memory of a process in bytes. `anonymous` is what belongs to it alone, and no file can be read again for. */
export interface Memory {
  readonly rss: number;
  readonly anonymous: number;
}

export function memoryOf(pid: number): Memory {
  return readSmapsRollup(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
}

/** Source: proc(5), /proc/pid/smaps_rollup; its kB are 1,024 bytes. */
export function readSmapsRollup(text: string): Memory {
  const bytes = (name: string) => {
    const [, kilobytes] = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text) ?? [];
    if (kilobytes === undefined) throw new Error(`smaps_rollup has no ${name}`);
    return Number(kilobytes) * 1024;
  };
  return { rss: bytes('Rss'), anonymous: bytes('Anonymous') };
}

/** CPU time of all threads that a process has now, in milliseconds; /proc/pid/stat would count in ticks of 10 ms. */
export function cpuMsOf(pid: number): number {
  const folder = `/proc/${pid}/task`;
  return readdirSync(folder)
    .map((task) => readIfThere(`${folder}/${task}/schedstat`))
    .reduce((sum, text) => sum + (text === undefined ? 0 : readSchedstat(text)), 0);
}

/** A thread can end between the listing of the threads and the reading of one. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** Source: Linux, Documentation/scheduler/sched-stats: time on the CPU in nanoseconds comes first. */
export function readSchedstat(text: string): number {
  const [, nanoseconds] = /^(\d+) \d+ \d+$/.exec(text.trim()) ?? [];
  if (nanoseconds === undefined) throw new Error(`schedstat cannot be read: ${text}`);
  return Number(nanoseconds) / 1e6;
}
