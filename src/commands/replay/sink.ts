import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';

export type SinkResult =
  | { readonly status: 'ok' }
  /** It was told to stop. */
  | { readonly status: 'stopped' }
  | { readonly status: 'failed'; readonly reason: string };

/** Where the data points of a replay go. */
export interface Sink {
  /** Takes the points of one record. `record` is its number, counted from 1. */
  add(metrics: readonly ResourceMetrics[], record: number): Promise<SinkResult>;
  /** Takes what is left. Call it once after the last record. */
  finish(): Promise<SinkResult>;
  /** What became of the records, for the user. */
  outcome(result: 'complete' | 'incomplete', records: number): string;
  /** Frees everything; what was not finished is given up. */
  close(): Promise<void>;
}

const ok: SinkResult = { status: 'ok' };

/** Takes everything and does nothing with it. */
export const createDrySink = (): Sink => ({
  add: async () => ok,
  finish: async () => ok,
  outcome: () => 'Nothing was sent.',
  close: async () => undefined,
});
