import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { runAttributes } from '../../catalogue/metrics.ts';
import type { RunEvent } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { SkippedRecords } from '../../snapshot/source.ts';

/** What a replay has read, for its summary. Its size does not grow with the number of records. */
export interface Tally {
  skipped(records: SkippedRecords): void;
  /** @param snapshot undefined at the end of a log */
  applied(snapshot: Snapshot | undefined, events: readonly RunEvent[]): void;
  /** @param timeMs of the record */
  exported(metrics: readonly ResourceMetrics[], timeMs: number): void;
  traced(spans: readonly ReadableSpan[]): void;
  /** Times of the oldest and the latest record, in Unix milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** Time series in Prometheus. */
  readonly series: number;
  /** Training runs, which may be several in one log. */
  readonly runs: number;
  readonly spans: number;
  /** What was left out and why, as lines. */
  readonly notes: readonly string[];
}

const maxNotes = 20;

export function createTally(): Tally {
  const series = new Map<string, number>();
  const notes = new Map<string, number>();
  let runs = 0;
  let spans = 0;
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  const note = (text: string, count: number) => {
    if (notes.has(text) || notes.size < maxNotes) notes.set(text, (notes.get(text) ?? 0) + count);
  };
  return {
    skipped: ({ count, message }) => note(`records: ${message}`, count),
    applied(snapshot, events) {
      for (const { field, reason } of snapshot?.skipped ?? []) note(`${field}: ${reason}`, 1);
      for (const event of events) {
        if (event.kind === 'run_began') runs++;
        if (event.kind === 'two_writers') note('records: of a second writer', 1);
        if (event.kind === 'extras_refused')
          for (const name of event.names) note(`${name}: more than MAX_EXTRA_METRICS`, 1);
      }
    },
    exported(all, timeMs) {
      firstMs = Math.min(firstMs, timeMs);
      lastMs = Math.max(lastMs, timeMs);
      for (const { scopeMetrics } of all)
        for (const metric of scopeMetrics.flatMap(({ metrics }) => metrics)) {
          const [point] = metric.dataPoints;
          if (point === undefined) continue;
          const key = `${metric.descriptor.name} ${point.attributes[runAttributes.jobId]}`;
          const count =
            metric.dataPointType === DataPointType.HISTOGRAM
              ? (metric.dataPoints[0]?.value.buckets.counts.length ?? 0) + 2
              : metric.dataPoints.length;
          series.set(key, Math.max(count, series.get(key) ?? 0));
        }
    },
    traced(ended) {
      spans += ended.length;
    },
    get series() {
      return [...series.values()].reduce((sum, count) => sum + count, 0);
    },
    get firstMs() {
      return firstMs;
    },
    get lastMs() {
      return lastMs;
    },
    get runs() {
      return runs;
    },
    get spans() {
      return spans;
    },
    get notes() {
      return [...notes].map(([text, count]) => `${count} × ${text}`);
    },
  };
}
