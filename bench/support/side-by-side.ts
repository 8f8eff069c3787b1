import { setTimeout as sleep } from 'node:timers/promises';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { until } from '../../test/support/until.ts';
import type { Program } from './bundle.ts';
import { cpuMsOf, memoryOf, type Running, start } from './process.ts';
import { type CountingProxy, startCountingProxy } from './proxy.ts';
import type { Writer } from './writer.ts';

/** Where a program sends to. */
export interface Target {
  readonly endpoint: string;
  readonly port: number;
}

/** One program of several that run at the same time and read the same file. */
export interface Subject {
  readonly label: string;
  readonly program: (target: Target) => Program | undefined;
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
  /** To the receiver, HTTP/2 frames included. */
  readonly bytesPerSnapshot: number;
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
  const running: (Running & {
    readonly label: string;
    readonly receiver: Receiver;
    readonly proxy: CountingProxy;
  })[] = [];
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
      const proxy = await startCountingProxy(receiver.port);
      const started = program(proxy);
      if (started === undefined) {
        await proxy.stop();
        await receiver.stop();
        continue;
      }
      running.push({ ...start(started), label, receiver, proxy });
      if (sends) await until(() => receiver.requests.length > 0, `the first export of ${label}`, 60_000);
    }
    await sleep(settleMs);
    const before = {
      writes,
      at: performance.now(),
      used: running.map(({ pid, proxy }) => ({ cpuMs: cpuMsOf(pid), sent: proxy.bytes.sent })),
    };
    await sleep(measureMs);
    const elapsedMs = performance.now() - before.at;
    const snapshots = Math.max(1, writes - before.writes);
    const usages = running.map(({ pid, label, proxy }, at): [string, Usage] => {
      const used = before.used[at] as (typeof before.used)[number];
      const cpuMs = cpuMsOf(pid) - used.cpuMs;
      const { rss, anonymous } = memoryOf(pid);
      return [
        label,
        {
          rss: rss / 1e6,
          anonymous: anonymous / 1e6,
          cpuPercent: (100 * cpuMs) / elapsedMs,
          cpuMsPerSnapshot: cpuMs / snapshots,
          bytesPerSnapshot: (proxy.bytes.sent - used.sent) / snapshots,
        },
      ];
    });
    options.atEnd?.();
    return new Map(usages);
  } finally {
    clearInterval(timer);
    await Promise.all(running.map(({ stop }) => stop()));
    await Promise.all(running.map(({ proxy }) => proxy.stop()));
    await Promise.all(running.map(({ receiver }) => receiver.stop()));
  }
}
