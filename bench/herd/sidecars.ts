import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BridgeSummary, runBridge } from '../../src/bridge/bridge.ts';
import { systemClock } from '../../src/common/clock.ts';
import type { Random } from '../../src/common/jitter.ts';
import { createLogger } from '../../src/common/logger.ts';
import { configOf } from '../../test/support/config.ts';
import { jobOf, version } from '../support/simulated-run.ts';

export interface SidecarsOptions {
  readonly count: number;
  readonly endpoint: string;
  readonly random: Random;
}

/** Bridges in this process, each with a metrics file, a connection and an identity of its own. */
export interface Sidecars {
  /** Writes all files at one moment, as the ranks of a job do. The loss is the number of the write, from 1. */
  write(): void;
  /** When each write was done, in milliseconds of the monotonic clock. */
  readonly writtenMs: readonly number[];
  stop(): Promise<readonly BridgeSummary[]>;
}

/** Starts the bridge itself, with the default settings, once for each sidecar. */
export function startSidecars({ count, endpoint, random }: SidecarsOptions): Sidecars {
  const folder = mkdtempSync(join(tmpdir(), 'ml-metrics-bridge-herd-'));
  const fileOf = (sidecar: number) => join(folder, `${sidecar}.json`);
  const startTime = new Date().toISOString();
  const writtenMs: number[] = [];
  const controllers: AbortController[] = [];

  function write(): void {
    const training_loss = writtenMs.length + 1;
    const training_metrics = {
      epoch: 1,
      batch_number: training_loss,
      training_loss,
      processing_time_ms: 200,
    };
    for (let sidecar = 0; sidecar < count; sidecar++) {
      const job_metadata = { job_id: jobOf(sidecar), start_time: startTime };
      writeFileSync(`${fileOf(sidecar)}.new`, JSON.stringify({ job_metadata, training_metrics }));
      renameSync(`${fileOf(sidecar)}.new`, fileOf(sidecar));
    }
    writtenMs.push(performance.now());
  }

  function startOne(sidecar: number): Promise<BridgeSummary> {
    const controller = new AbortController();
    controllers.push(controller);
    return runBridge({
      config: configOf({
        METRICS_FILE_PATH: fileOf(sidecar),
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: 'base2_exponential_bucket_histogram',
        LOG_LEVEL: 'critical',
      }),
      log: createLogger('critical'),
      clock: systemClock,
      random,
      signal: controller.signal,
      hostName: jobOf(sidecar),
      version,
    });
  }

  write();
  const running = Array.from({ length: count }, (_, sidecar) => startOne(sidecar));
  return {
    write,
    writtenMs,
    async stop() {
      for (const controller of controllers) controller.abort();
      const summaries = await Promise.all(running);
      rmSync(folder, { recursive: true, force: true });
      return summaries;
    },
  };
}
