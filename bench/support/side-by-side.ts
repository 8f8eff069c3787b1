import { setTimeout as sleep } from 'node:timers/promises';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { until } from '../../test/support/until.ts';
import type { Program } from './bundle.ts';
import { cpuMsOf, memoryOf, type Running, start } from './process.ts';
import type { Writer } from './writer.ts';

/** One program of several that run at the same time and read the same file. */
export interface Subject {
  readonly label: string;
  readonly program: (receiver: Receiver) => Program | undefined;
  /** A program that sends nothing is not waited for. */
  readonly sends: boolean;
}

export interface Usage {
  /** Megabytes, 10^6 bytes. */
  readonly rss: number;
  readonly anonymous: number;
  /** Percent of one core. */
  readonly cpuPercent: number;
  readonly cpuMsPerSnapshot: number;
}

export interface SideBySideOptions {
  readonly writer: Writer;
  /** Time between two writes. */
  readonly intervalMs: number;
  /** Whether the file goes on being written after the first time. */
  readonly news: boolean;
  readonly settleMs: number;
  readonly measureMs: number;
  /** Called at the end, while all still run. */
  readonly atEnd?: () => void;
}

/** Runs programs at the same time, lets them settle, and returns what each used from then on. */
export async function measureSideBySide(
  subjects: readonly Subject[],
  options: SideBySideOptions,
): Promise<ReadonlyMap<string, Usage>> {
  const { writer, intervalMs, news, settleMs, measureMs } = options;
  const running: (Running & { readonly label: string; readonly receiver: Receiver })[] = [];
  let writes = 0;
  writer.write();
  const timer = setInterval(() => {
    if (!news) return;
    writer.write();
    writes += 1;
  }, intervalMs);
  try {
    for (const { label, program, sends } of subjects) {
      const receiver = await startReceiver({ keep: 1 });
      const started = program(receiver);
      if (started === undefined) {
        await receiver.stop();
        continue;
      }
      running.push({ ...start(started), label, receiver });
      if (sends) await until(() => receiver.requests.length > 0, `the first export of ${label}`, 60_000);
    }
    await sleep(settleMs);
    const before = { writes, at: performance.now(), cpuMs: running.map(({ pid }) => cpuMsOf(pid)) };
    await sleep(measureMs);
    const elapsedMs = performance.now() - before.at;
    const usages = running.map(({ pid, label }, at): [string, Usage] => {
      const cpuMs = cpuMsOf(pid) - (before.cpuMs[at] as number);
      const { rss, anonymous } = memoryOf(pid);
      return [
        label,
        {
          rss: rss / 1e6,
          anonymous: anonymous / 1e6,
          cpuPercent: (100 * cpuMs) / elapsedMs,
          cpuMsPerSnapshot: cpuMs / Math.max(1, writes - before.writes),
        },
      ];
    });
    options.atEnd?.();
    return new Map(usages);
  } finally {
    clearInterval(timer);
    await Promise.all(running.map(({ stop }) => stop()));
    await Promise.all(running.map(({ receiver }) => receiver.stop()));
  }
}
