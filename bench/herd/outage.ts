import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../src/common/jitter.ts';
import { type Collector, startCollector } from '../../test/e2e/collector.ts';
import { startPushedPrometheus } from '../../test/e2e/prometheus.ts';
import { ask, instantQuery } from '../../test/support/prometheus.ts';
import { pushingConfig, pushingTo } from '../scale/stack.ts';
import { cpuMsOf } from '../support/process.ts';
import { templateJob } from '../support/simulated-run.ts';
import { sum } from '../support/statistics.ts';
import { startSidecars } from './sidecars.ts';
import { traffic } from './traffic.ts';

export interface OutageOptions {
  readonly sidecars: number;
  /** Seconds from the start until what is shown begins, before the outage, of it, and after it. */
  readonly settle: number;
  readonly before: number;
  readonly outage: number;
  readonly after: number;
  readonly random: Random;
}

/** One second. */
export interface Second {
  readonly connections: number;
  readonly requests: number;
  /** Milliseconds of CPU. */
  readonly collectorCpu: number;
  /** Sidecars whose newest snapshot Prometheus has, without those that no poll can have read yet. */
  readonly current: number;
}

export interface OutageResult {
  readonly seconds: readonly Second[];
  /** From the return of the Collector until Prometheus had the newest snapshot of every sidecar; infinite if it never had. */
  readonly recoverySeconds: number;
  /** Snapshots that were read and that Prometheus does not have at the end. */
  readonly lost: number;
  /** Snapshots that were written and not read before the next: this process had no time to poll. */
  readonly notRead: number;
}

/** Not of the range that the system takes ports of connections from: a bridge could otherwise connect to itself. */
const port = 14_317;
/** Longer than the poll of 10 s, so that each write is read. */
const writeSeconds = 12;
/** A snapshot is read, and sent, within this time of its write. */
const readMs = 10_500;

/** Stops the real Collector for a time and starts it again, while the sidecars go on. */
export async function measureOutage(options: OutageOptions): Promise<OutageResult> {
  const { settle, before, outage, after, random } = options;
  const prometheus = await startPushedPrometheus();
  const start = () =>
    startCollector(
      undefined,
      { ...pushingTo(prometheus), 'receivers.otlp.protocols.grpc.endpoint': `127.0.0.1:${port}` },
      pushingConfig,
    );
  let collector: Collector | undefined = await start();
  const sidecars = startSidecars({ count: options.sidecars, endpoint: `http://127.0.0.1:${port}`, random });
  const writing = setInterval(sidecars.write, writeSeconds * 1_000);
  const seconds: Second[] = [];
  let returnedMs = Number.NaN;
  let recoveredMs = Number.POSITIVE_INFINITY;

  const current = async () => {
    const write = sidecars.writtenMs.filter((atMs) => atMs < performance.now() - readMs).length;
    const [found] = await instantQuery(prometheus.url, `count(ml_training_loss >= ${write})`);
    return found?.value ?? 0;
  };
  const reading = () => ({ ...traffic(), cpuMs: collector ? cpuMsOf(collector.pid) : 0, collector });

  async function watch(count: number): Promise<void> {
    let last = reading();
    const startedMs = performance.now();
    for (let second = 1; second <= count; second++) {
      await sleep(Math.max(0, startedMs + second * 1_000 - performance.now()));
      const next = reading();
      const found = await current();
      if (found === options.sidecars && returnedMs <= performance.now())
        recoveredMs = Math.min(recoveredMs, performance.now());
      seconds.push({
        connections: next.connections - last.connections,
        requests: next.requests - last.requests,
        collectorCpu: next.cpuMs - (next.collector === last.collector ? last.cpuMs : 0),
        current: found,
      });
      last = next;
    }
  }

  try {
    await sleep(settle * 1_000);
    await watch(before);
    await collector.stop();
    collector = undefined;
    // The Collector takes about a second to start, and answers within the outage's last second.
    const returning = sleep((outage - 1) * 1_000).then(start);
    const returned = returning.then((started) => {
      collector = started;
      returnedMs = performance.now();
    });
    await watch(outage + after);
    await returned;
    clearInterval(writing);
    const summaries = await sidecars.stop();
    const read = sum(summaries.map(({ snapshots }) => snapshots));
    return {
      seconds,
      recoverySeconds: (recoveredMs - returnedMs) / 1_000,
      lost: read - (await storedSnapshots(prometheus.url, sidecars.writtenMs.length)),
      notRead: options.sidecars * sidecars.writtenMs.length - read,
    };
  } finally {
    clearInterval(writing);
    await sidecars.stop();
    await collector?.stop();
    await prometheus.stop();
  }
}

/** Each snapshot has a value of its own, the number of its write. The final export repeats the last one. */
async function storedSnapshots(url: string, writes: number): Promise<number> {
  const { result } = await ask<{ result: { values: [number, string][] }[] }>(url, '/query', {
    query: `ml_training_loss{job_id=~"${templateJob}-.*"}[30m]`,
  });
  const isWrite = (value: number) => Number.isInteger(value) && value >= 1 && value <= writes;
  return sum(
    result.map(({ values }) => new Set(values.map(([, value]) => Number(value)).filter(isWrite)).size),
  );
}
