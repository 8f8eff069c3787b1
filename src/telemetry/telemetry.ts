import type { Resource } from '@opentelemetry/resources';
import { runAttributes } from '../catalogue/metrics.ts';
import type { Clock } from '../common/clock.ts';
import type { Conditions } from '../common/logger.ts';
import type { Config } from '../config/bridge.ts';
import type { ExportRequest } from '../otlp/export-request.ts';
import type { PollTime, Run, Transition } from '../run/run.ts';
import type { Poll } from '../snapshot/poll.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { createExportPipeline, type Sent } from './export-pipeline.ts';
import { createRunInstruments, type RunInstruments } from './instruments.ts';
import { createInternalMetrics, type InternalMetrics } from './internal-metrics.ts';
import type { Spans } from './spans/spans.ts';
import { stamp } from './stamp.ts';

/** From runs to OpenTelemetry, and on its way to the Collector. */
export interface Telemetry {
  polled(poll: Poll): void;
  /** Follows a transition of the run; `snapshot` is the one that made it, if one did. */
  follow(transition: Transition, snapshot: Snapshot | undefined, now: PollTime): Promise<void>;
  /**
   * Collects and hands to the sender; does not wait for it to be sent. What seldom changes or is the bridge's own comes
   * with the first snapshot after each export interval, with each heartbeat, and last.
   */
  collect(kind: ExportRequest['kind'], isLast?: boolean): Promise<void>;
  /** Sends what waits until the deadline, and says how many snapshots were left. */
  close(deadlineMonotonicMs: number): Promise<number>;
  readonly sent: Sent;
}

export interface TelemetryOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly clock: Clock;
  readonly conditions: Conditions;
  /** Undefined where nothing is traced. */
  readonly spans: Spans | undefined;
  /** Read at each collection. */
  readonly fileAgeMs: () => number | undefined;
}

/**
 * As they are shipped, Collector and Prometheus forget a series that they are not told of for a minute, and what is due
 * waits for the next snapshot.
 */
const longestUntoldMs = 20_000;

export function createTelemetry({
  config,
  resource,
  version,
  clock,
  conditions,
  spans,
  fileAgeMs,
}: TelemetryOptions): Telemetry {
  const exporting = !config.sdkDisabled && config.metricsExporter !== 'none';
  const startedUnixMs = clock().unixMs;
  const self = createInternalMetrics(resource, version, {
    backlog: () => pipeline.waiting,
    fileAgeMs,
    spansRejected: () => spans?.rejected,
  });
  const pipeline = createExportPipeline({ config, resource, version, clock, conditions, self });

  const waitingAttributes = config.rank === undefined ? {} : { [runAttributes.rank]: config.rank };
  const newInstruments = () =>
    createRunInstruments(resource, config.histogramAggregation, version, waitingAttributes);
  let instruments: RunInstruments = newInstruments();
  let runStartedUnixMs = startedUnixMs;

  let nextWhole = Number.NEGATIVE_INFINITY;

  /** The bridge's own health and the run's unchanged state are a third of an export, and need to be no fresher than this. */
  async function collect(kind: ExportRequest['kind'], isLast = false): Promise<void> {
    if (!exporting) return;
    const { monotonicMs, unixMs } = clock();
    const isWhole = kind === 'heartbeat' || isLast || monotonicMs >= nextWhole;
    const scopeMetrics = stamp(await instruments.collect(isWhole), unixMs, runStartedUnixMs);
    if (isWhole) {
      scopeMetrics.push(...stamp(await self.collect(), unixMs, startedUnixMs));
      // A heartbeat that waits is replaced by the next snapshot, and what it told would be lost with it.
      if (kind === 'snapshot') nextWhole = monotonicMs + Math.min(config.exportIntervalMs, longestUntoldMs);
    }
    pipeline.send(kind, { resource, scopeMetrics });
  }

  return {
    polled: ({ outcome }) => self.polled(outcome.status),
    async follow(transition, snapshot, now) {
      const { run, events } = transition;
      for (const event of events) {
        if (event.kind === 'run_ended' && event.reason === 'replaced') {
          instruments.setRun(event.run);
          await collect('snapshot');
        }
        if (event.kind === 'run_began') {
          instruments = newInstruments();
          runStartedUnixMs = clock().unixMs;
        }
        if (event.kind === 'extras_refused') self.skipped('extra', 'too_many', event.names.length);
      }
      spans?.follow(transition, isOf(run, snapshot) ? snapshot : undefined, now);
      instruments.setRun(run);
      if (snapshot === undefined) return;
      countSkipped(self, snapshot);
      if (isOf(run, snapshot)) instruments.record(snapshot);
    },
    collect,
    async close(deadlineMonotonicMs) {
      const [left] = await Promise.all([
        pipeline.close(deadlineMonotonicMs),
        spans?.close(deadlineMonotonicMs),
      ]);
      return left;
    },
    sent: pipeline.sent,
  };
}

/** A snapshot of a second writer is not the run's. */
const isOf = (run: Run | undefined, snapshot: Snapshot | undefined) => run?.latest === snapshot;

/** Known fields by name; the names of others are too many to be label values. */
function countSkipped(self: InternalMetrics, { skipped }: Snapshot): void {
  for (const { field, known, reason } of skipped) self.skipped(known ? field : 'extra', reason);
}
