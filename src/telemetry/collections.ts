import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import type { Clock } from '../common/clock.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { RunInstruments } from './instruments.ts';
import type { InternalMetrics } from './internal-metrics.ts';
import { stamp } from './stamp.ts';

/**
 * Why metrics are collected. An `event` is a snapshot, or passing time, that is exported at once. `records` is the state
 * after records of a log, which is repeated like that of a heartbeat, and waits like a snapshot.
 */
export type CollectionTrigger = 'snapshot' | 'event' | 'records' | 'heartbeat' | 'final';

/** The metrics of the present run and of the bridge, collected with their times. */
export interface Collections {
  /** The instruments of the present run, or those that wait for the first. */
  readonly run: RunInstruments;
  /** Replaces the instruments: counters and histograms of another run start at zero, at the present time. */
  beginRun(): void;
  of(trigger: CollectionTrigger): Promise<ScopeMetrics[]>;
  /** The gauges of one record of a log, at its own time in Unix milliseconds. */
  ofRecord(record: Snapshot, timeMs: number): Promise<ScopeMetrics[]>;
}

export interface CollectionsOptions {
  /** The time of exported points. */
  readonly clock: Clock;
  readonly exportIntervalMs: number;
  readonly createInstruments: () => RunInstruments;
  readonly internalMetrics: Pick<InternalMetrics, 'collect'>;
}

/**
 * The longest time until a full collection is due while snapshots arrive. The Collector, as configured in this repository,
 * drops a series after a minute. A collection that is due is made with the next snapshot, at most this time later, and may
 * wait another 30 s for EXPORT_MIN_INTERVAL.
 */
const maxFullIntervalMs = 15_000;

/** The bridge's own metrics and an unchanged state are a third of an export, so most exports of snapshots omit them. */
export function createCollections({
  clock,
  exportIntervalMs,
  createInstruments,
  internalMetrics,
}: CollectionsOptions): Collections {
  const startedUnixMs = clock().unixMs;
  let run = createInstruments();
  let runStartedUnixMs = startedUnixMs;
  let nextFullMonotonicMs = Number.NEGATIVE_INFINITY;
  return {
    get run() {
      return run;
    },
    beginRun() {
      run = createInstruments();
      runStartedUnixMs = clock().unixMs;
    },
    async of(trigger) {
      const { monotonicMs, unixMs } = clock();
      const isSnapshot = trigger === 'snapshot' || trigger === 'event';
      const isFull = !isSnapshot || monotonicMs >= nextFullMonotonicMs;
      const ofRun = stamp(await run.collect(isFull ? 'full' : 'changes'), unixMs, runStartedUnixMs);
      if (!isFull) return ofRun;
      // Not after a heartbeat: a queued heartbeat is replaced by the next snapshot, so it may never be sent.
      if (isSnapshot) nextFullMonotonicMs = monotonicMs + Math.min(exportIntervalMs, maxFullIntervalMs);
      return [...ofRun, ...stamp(await internalMetrics.collect(), unixMs, startedUnixMs)];
    },
    ofRecord: async (record, timeMs) => stamp(await run.collectGauges(record), timeMs, timeMs),
  };
}
