// What a bridge that is measured tells main.ts.
import { readFileSync } from 'node:fs';
import { collectGarbage } from '../support/collect-garbage.ts';

/** Told after each tenth of the snapshots, and once more at the end. */
export type Message =
  /** Memory in bytes. `rss` and `heap` are those after a collection of garbage, `peak` is the most that was resident so far. */
  | {
      readonly status: 'measured';
      readonly taken: number;
      readonly rss: number;
      readonly heap: number;
      readonly peak: number;
      /** CPU time so far. */
      readonly cpuMs: number;
    }
  | { readonly status: 'ended'; readonly taken: number; readonly lost: number };

export const tell = (message: Message) => process.send?.(message);

export function measure(taken: number): void {
  const peak = peakBytes();
  const { user, system } = process.cpuUsage();
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  const cpuMs = (user + system) / 1_000;
  tell({ status: 'measured', taken, rss, heap: heapUsed, peak, cpuMs });
}

/** Not that of `resourceUsage`, which begins with what was resident in the process that started this one. */
function peakBytes(): number {
  const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) * 1024;
}
