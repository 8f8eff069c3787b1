import { ValueType } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, type ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { bridgeMetrics, type MetricDefinition } from '../catalogue/metrics.ts';
import type { ExportOutcome } from '../otlp/classify-response.ts';
import { scopeName } from './instruments.ts';
import { SnapshotReader } from './reader.ts';

/** The bridge's own health, `ml.bridge.*`. One for the life of the process, through every change of run. */
export interface InternalMetrics {
  polled(outcome: string): void;
  skipped(field: string, reason: string, count?: number): void;
  exported(outcome: ExportOutcome, unixMs: number): void;
  dropped(reason: string, count: number): void;
  collect(): Promise<ScopeMetrics[]>;
}

/** What is read when metrics are collected. */
export interface ObservedMetrics {
  /** Requests that wait. */
  readonly backlog: () => number;
  /** Undefined where there is no file. */
  readonly fileAgeMs: () => number | undefined;
  /** Spans; undefined where nothing is traced. */
  readonly spansRejected: () => number | undefined;
}

export function createInternalMetrics(
  resource: Resource,
  version: string,
  { backlog, fileAgeMs, spansRejected }: ObservedMetrics,
): InternalMetrics {
  const reader = new SnapshotReader('explicit_bucket_histogram');
  const meter = new MeterProvider({ resource, readers: [reader] }).getMeter(scopeName, version);
  const counter = ({ name, unit, description }: MetricDefinition) =>
    meter.createCounter(name, { unit, description, valueType: ValueType.INT });
  const gauge = ({ name, unit, description }: MetricDefinition, read: () => number | undefined) =>
    meter
      .createObservableGauge(name, { unit, description, valueType: ValueType.DOUBLE })
      .addCallback((result) => {
        const value = read();
        if (value !== undefined) result.observe(value);
      });

  let lastSuccessUnixMs: number | undefined;
  const snapshots = counter(bridgeMetrics.snapshots);
  const fieldsSkipped = counter(bridgeMetrics.fieldsSkipped);
  const exports = counter(bridgeMetrics.exports);
  const dropped = counter(bridgeMetrics.dropped);
  const pointsRefused = counter(bridgeMetrics.pointsRefused);
  // From zero on, because rate() cannot see a counter's first step where its first value is already that step.
  for (const outcome of ['success', 'retry', 'rejected']) exports.add(0, { outcome });
  for (const reason of ['queue_full', 'queue_bytes_full', 'rejected']) dropped.add(0, { reason });
  pointsRefused.add(0);
  gauge(bridgeMetrics.fileAge, () => {
    const ageMs = fileAgeMs();
    return ageMs && ageMs / 1000;
  });
  gauge(bridgeMetrics.lastSuccessTime, () => lastSuccessUnixMs && lastSuccessUnixMs / 1000);
  gauge(bridgeMetrics.backlog, backlog);
  const { name, unit, description } = bridgeMetrics.spansRejected;
  meter
    .createObservableCounter(name, { unit, description, valueType: ValueType.INT })
    .addCallback((result) => {
      const count = spansRejected();
      if (count !== undefined) result.observe(count);
    });

  return {
    polled: (outcome) => snapshots.add(1, { outcome }),
    skipped: (field, reason, count = 1) => fieldsSkipped.add(count, { field, reason }),
    exported(outcome, unixMs) {
      exports.add(1, { outcome: outcome.status });
      if (outcome.status !== 'success') return;
      lastSuccessUnixMs = unixMs;
      pointsRefused.add(outcome.partialSuccess?.rejected ?? 0);
    },
    dropped: (reason, count) => dropped.add(count, { reason }),
    collect: () => reader.read(),
  };
}
