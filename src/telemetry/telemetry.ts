import type { Resource } from '@opentelemetry/resources';
import { runAttributes } from '../catalogue/metrics.ts';
import type { Clock } from '../common/clock.ts';
import type { Random } from '../common/jitter.ts';
import type { Conditions } from '../common/logger.ts';
import type { Config } from '../config/bridge.ts';
import type { ExportOutcome } from '../otlp/classify-response.ts';
import { ownSnapshot, type PollTime, type Run, type Transition } from '../run/run.ts';
import { writeLimits } from '../run/write-gaps.ts';
import type { RankReading } from '../snapshot/rank-reading.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Poll } from '../snapshot/source.ts';
import { type CollectionTrigger, createCollections } from './collections.ts';
import { createExportClock } from './export-clock.ts';
import { createExportPipeline, type ExportPipeline, type Sent } from './export-pipeline.ts';
import { createRunInstruments } from './instruments.ts';
import { createInternalMetrics, type InternalMetrics } from './internal-metrics.ts';
import type { Spans } from './spans/spans.ts';

/** Turns polls and runs into OpenTelemetry metrics and spans, and exports them. */
export interface Telemetry {
  polled(poll: Poll): void;
  /** Updates instruments, spans and counters after a transition of the run. `snapshot` is its cause, if it has one. */
  follow(transition: Transition, snapshot: Snapshot | undefined, now: PollTime): Promise<void>;
  /**
   * Collects and queues the result; does not wait until it is sent. Only `snapshot` and `records` may be held back until
   * EXPORT_MIN_INTERVAL has passed since the last export. The bridge's own metrics and an unchanged state of
   * the run are included in heartbeats, in the final collection, and in a snapshot once an export interval.
   */
  collect(trigger: CollectionTrigger): Promise<void>;
  /** Collects and queues the gauges of the record that was followed last, at its own time in Unix milliseconds. */
  collectRecord(timeMs: number): Promise<void>;
  /** How many records were queued, and how many of them at least have left the queue, in this order. */
  readonly records: ExportPipeline['records'];
  /** How many records can be queued until the export queue is half full. */
  readonly room: number;
  /** Sends what is queued until the deadline; resolves to the number of snapshots that were not delivered. */
  close(deadlineMonotonicMs: number): Promise<number>;
  readonly sent: Sent;
  /** Of the last run that was traced and sampled. */
  readonly traceId: string | undefined;
}

export interface TelemetryOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly conditions: Conditions;
  /** Undefined when traces are off. */
  readonly spans: Spans | undefined;
  /** Read at each collection. */
  readonly fileAgeMs: () => number | undefined;
  readonly logLinesDropped: () => number;
  readonly onExport: (outcome: ExportOutcome) => void;
  /** Read from the files of other ranks. */
  readonly otherRanks: (run: Run) => readonly RankReading[];
}

export function createTelemetry({
  config,
  resource,
  version,
  clock,
  random,
  conditions,
  spans,
  fileAgeMs,
  logLinesDropped,
  onExport,
  otherRanks,
}: TelemetryOptions): Telemetry {
  const exporting = !config.sdkDisabled && config.metricsExporter !== 'none';
  const internalMetrics = createInternalMetrics(resource, version, {
    backlog: () => pipeline.waiting,
    fileAgeMs,
    staleAfterMs: () => writeLimits(currentRun, config).staleAfterMs,
    logLinesDropped,
    spansRejected: () => spans?.rejected,
  });
  const pipeline = createExportPipeline({
    config,
    resource,
    version,
    clock,
    random,
    conditions,
    internalMetrics,
    onExport,
  });

  const waitingAttributes = config.rank === undefined ? {} : { [runAttributes.rank]: config.rank };
  const { histogramAggregation, exportIntervalMs } = config;
  const collections = createCollections({
    clock: createExportClock(clock),
    exportIntervalMs,
    createInstruments: () =>
      createRunInstruments({ resource, histogramAggregation, version, waitingAttributes, otherRanks }),
    internalMetrics,
  });
  let record: Snapshot | undefined;
  let currentRun: Run | undefined;

  async function collect(trigger: CollectionTrigger): Promise<void> {
    if (!exporting) return;
    const scopeMetrics = await collections.of(trigger);
    const isRepeated = trigger === 'heartbeat' || trigger === 'records';
    const mayWait = trigger === 'snapshot' || trigger === 'records';
    pipeline.send(
      isRepeated ? 'heartbeat' : 'snapshot',
      { resource, scopeMetrics },
      mayWait ? 'may_wait' : 'at_once',
    );
  }

  return {
    polled({ outcome, skipped = [] }) {
      internalMetrics.polled(outcome.status);
      for (const { reason, count } of skipped) internalMetrics.recordsSkipped(reason, count);
    },
    async follow(transition, snapshot, now) {
      const { run, events } = transition;
      for (const event of events) {
        if (event.kind === 'run_ended' && event.reason === 'replaced') {
          collections.run.setRun(event.run);
          await collect('event');
        }
        if (event.kind === 'run_began') collections.beginRun();
        if (event.kind === 'extras_refused') internalMetrics.skipped('extra', 'too_many', event.names.length);
      }
      const own = ownSnapshot(transition, snapshot);
      record = own;
      currentRun = run;
      spans?.follow(transition, own, now);
      collections.run.setRun(run);
      if (own !== undefined && run?.state !== 'waiting') collections.run.record(own);
      if (snapshot !== undefined) countSkipped(internalMetrics, snapshot);
    },
    collect,
    async collectRecord(timeMs) {
      if (!exporting || record === undefined) return;
      const scopeMetrics = await collections.ofRecord(record, timeMs);
      if (scopeMetrics.length > 0) pipeline.sendRecord({ resource, scopeMetrics });
    },
    get records() {
      return pipeline.records;
    },
    get room() {
      return pipeline.room;
    },
    async close(deadlineMonotonicMs) {
      const [left] = await Promise.all([
        pipeline.close(deadlineMonotonicMs),
        spans?.close(deadlineMonotonicMs),
      ]);
      return left;
    },
    sent: pipeline.sent,
    get traceId() {
      return spans?.traceId;
    },
  };
}

/** Known fields are counted by name. All others share one name, because a label must not have unbounded values. */
function countSkipped(metrics: InternalMetrics, { skipped }: Snapshot): void {
  for (const { field, known, reason } of skipped) metrics.skipped(known ? field : 'extra', reason);
}
