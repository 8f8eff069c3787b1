import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../src/common/clock.ts';
import { startBridge } from '../support/bridge.ts';
import { exampleText, replaceFile, temporaryFolder } from '../support/file.ts';
import { until } from '../support/until.ts';
import type { Collector } from './collector.ts';

/** A job that has been training for a time. */
export interface PastJob {
  readonly job: string;
  readonly rank?: number;
  /** How long it has been training, in seconds. */
  readonly seconds: number;
  /** How long ago its pod ended, in seconds; not yet if not given. */
  readonly ended?: number;
  /** The fields of the file, some seconds before now; undefined where nothing was written any more. */
  readonly metrics: (secondsAgo: number) => Readonly<Record<string, unknown>> | undefined;
}

/** Seconds from one snapshot to the next. */
const stepSeconds = 15;

/**
 * Sends the snapshots of a job's past with their own times, by a bridge whose clock jumps from each to the next. What it
 * sends after the last one are heartbeats of now, unless the pod has ended.
 */
export async function trainInThePast({ endpoint }: Collector, past: PastJob): Promise<void> {
  const { job, rank, seconds, ended = 0, metrics } = past;
  let behindMs = seconds * 1_000;
  const clock: Clock = () => ({
    unixMs: Date.now() - behindMs,
    monotonicMs: performance.now() + seconds * 1_000 - behindMs,
  });
  const file = join(temporaryFolder(), 'current.json');
  const bridge = await startBridge({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_RESOURCE_ATTRIBUTES: `k8s.namespace.name=past,k8s.pod.name=${job}-${rank ?? 0},k8s.container.name=bridge`,
      SHUTDOWN_TIMEOUT: '1',
      ...(rank === undefined ? {} : { RANK: String(rank) }),
    },
    file,
    clock,
  });
  const start = new Date(Date.now() - behindMs).toISOString();
  const read = () => bridge.polls.filter(({ outcome }) => outcome.status === 'ok').length;
  for (
    let step = 1;
    behindMs > ended * 1_000;
    step++, behindMs = Math.max(0, behindMs - stepSeconds * 1_000)
  ) {
    const values = metrics(behindMs / 1_000);
    if (values === undefined) continue;
    const before = read();
    const next = exampleText({
      job: { job_id: job, start_time: start },
      metrics: { epoch: 1, batch_number: step, global_step: step, ...values },
    });
    replaceFile(file, next);
    const time = clock().unixMs / 1_000;
    utimesSync(file, time, time);
    await until(() => read() > before, 'the bridge to read the file');
  }
  if (ended > 0) await bridge.stop();
}
