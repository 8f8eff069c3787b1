import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Program } from './bundle.ts';
import { start } from './process.ts';

/** What a program took from its start to its end. */
export interface RunCost {
  readonly seconds: number;
  /** Of all threads. */
  readonly cpuSeconds: number;
  /** Bytes. */
  readonly peakRss: number;
}

/** How often the program is looked at. What it uses in its last moment is not seen. */
const lookMs = 20;

/** Runs a program until it ends. Rejects unless it ends with exit code 0. */
export async function runToEnd(program: Program): Promise<RunCost> {
  const startedMs = performance.now();
  const { pid, child } = start(program);
  const ended = once(child, 'close').then(() => performance.now());
  let [cpuSeconds, peakRss] = [0, 0];
  while (child.exitCode === null && child.signalCode === null) {
    try {
      cpuSeconds = readCpuSeconds(readFileSync(`/proc/${pid}/stat`, 'utf8'));
      peakRss = readPeakRss(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      // It has just ended.
    }
    await sleep(lookMs);
  }
  const seconds = ((await ended) - startedMs) / 1_000;
  if (child.exitCode !== 0) throw new Error(`${program.command} ended with ${child.exitCode}`);
  return { seconds, cpuSeconds, peakRss };
}

/** Source: proc_pid_status(5), VmHWM; its kB are 1,024 bytes. */
export function readPeakRss(status: string): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error('status has no VmHWM');
  return Number(kilobytes) * 1024;
}

const ticksPerSecond = 100;

/** Source: proc_pid_stat(5), utime and stime, the fields 14 and 15. The name of the program, field 2, may have spaces. */
export function readCpuSeconds(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isFinite(ticks)) throw new Error(`stat cannot be read: ${stat}`);
  return ticks / ticksPerSecond;
}
