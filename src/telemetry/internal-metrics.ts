import { type Attributes, ValueType } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, type ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { type BridgeMetricName, bridgeMetrics } from '../catalogue/metrics.ts';
import {
  type DropReason,
  dropReasons,
  type PollOutcomeName,
  type SkipReason,
  sendOutcomes,
} from '../catalogue/outcomes.ts';
import { keysOf } from '../common/keys.ts';
import type { ExportOutcome } from '../otlp/classify-response.ts';
import { scopeName } from './instruments.ts';
import { type Observation, observed, observeMetrics } from './observe.ts';
import { SnapshotReader } from './reader.ts';
import { pointAttributes } from './resource.ts';

/** Metrics about the bridge itself, `ml.bridge.*`. There is one instance per process; a new run does not reset it. */
export interface InternalMetrics {
  polled(outcome: PollOutcomeName): void;
  skipped(field: string, reason: SkipReason, count?: number): void;
  recordsSkipped(reason: string, count: number): void;
  exported(outcome: ExportOutcome, unixMs: number): void;
  /** A count of 0 makes the reason's series begin at zero. */
  dropped(reason: DropReason, count: number): void;
  collect(): Promise<ScopeMetrics[]>;
}

/** Values that are read at each collection. */
export interface ObservedMetrics {
  /** Number of queued requests. */
  readonly backlog: () => number;
  /** Undefined if there is no file. */
  readonly fileAgeMs: () => number | undefined;
  /** Of the present run. */
  readonly staleAfterMs: () => number;
  readonly logLinesDropped: () => number;
  /** Number of spans; undefined if tracing is off. */
  readonly spansRejected: () => number | undefined;
}

export function createInternalMetrics(
  resource: Resource,
  version: string,
  { backlog, fileAgeMs, staleAfterMs, logLinesDropped, spansRejected }: ObservedMetrics,
): InternalMetrics {
  const polls = createTally();
  const skips = createTally();
  const records = createTally([{ reason: 'malformed' }]);
  const exports = createTally(keysOf(sendOutcomes).map((outcome) => ({ outcome })));
  const drops = createTally(
    keysOf(dropReasons)
      .filter((reason) => dropReasons[reason].counted === 'always')
      .map((reason) => ({ reason })),
  );
  let pointsRefused = 0;
  let lastSuccessUnixMs: number | undefined;

  /** How each metric is read. A metric of the catalogue that is missing here is a type error. */
  const values: Readonly<Record<BridgeMetricName, () => Iterable<Observation>>> = {
    snapshots: polls.read,
    fieldsSkipped: skips.read,
    fileAge: () => seconds(fileAgeMs()),
    fileStaleAfter: () => seconds(staleAfterMs()),
    recordsSkipped: records.read,
    exports: exports.read,
    lastSuccessTime: () => seconds(lastSuccessUnixMs),
    dropped: drops.read,
    pointsRefused: () => observed(pointsRefused),
    backlog: () => observed(backlog()),
    logLinesDropped: () => observed(logLinesDropped()),
    spansRejected: () => observed(spansRejected()),
  };
  const reader = new SnapshotReader('explicit_bucket_histogram');
  const meter = new MeterProvider({ resource, readers: [reader] }).getMeter(scopeName, version);
  const shared = pointAttributes(resource);
  const metrics = keysOf(bridgeMetrics).map((name) => {
    const metric = bridgeMetrics[name];
    const valueType = metric.instrument === 'counter' ? ValueType.INT : ValueType.DOUBLE;
    return { metric, read: values[name], valueType };
  });
  observeMetrics(meter, metrics, () => shared);

  return {
    polled: (outcome) => polls.add(1, { outcome }),
    skipped: (field, reason, count = 1) => skips.add(count, { field, reason }),
    recordsSkipped: (reason, count) => records.add(count, { reason }),
    exported(outcome, unixMs) {
      exports.add(1, { outcome: outcome.status });
      if (outcome.status !== 'success') return;
      lastSuccessUnixMs = unixMs;
      pointsRefused += outcome.partialSuccess?.rejected ?? 0;
    },
    dropped: (reason, count) => drops.add(count, { reason }),
    collect: () => reader.read(),
  };
}

const seconds = (ms: number | undefined) => observed(ms === undefined ? undefined : ms / 1000);

/**
 * Counts by attributes. The initial series begin at zero, because rate() does not see the first increase of a series
 * that begins above zero.
 */
function createTally(initial: readonly Attributes[] = []) {
  const series = new Map<string, Observation>();
  const add = (count: number, attributes: Attributes) => {
    const key = JSON.stringify(attributes);
    series.set(key, { value: (series.get(key)?.value ?? 0) + count, attributes });
  };
  for (const attributes of initial) add(0, attributes);
  return { add, read: () => series.values() };
}
