import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';

export type SinkResult =
  | { readonly status: 'ok' }
  /** It was told to stop. */
  | { readonly status: 'stopped' }
  | { readonly status: 'failed'; readonly reason: string };

/** What a record is replayed as. */
export interface RecordData {
  readonly metrics: readonly ResourceMetrics[];
  /** The spans that end with this record. */
  readonly spans: readonly ReadableSpan[];
}

/** Where the data of a replay goes. */
export interface Sink {
  /** Takes the data of one record. `record` is its number, counted from 1. */
  add(data: RecordData, record: number): Promise<SinkResult>;
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

/** Gives everything to both, to the first one first. If not all arrived, the first one says what became of the records. */
export function createBothSinks(first: Sink, second: Sink): Sink {
  const inTurn = async (work: (sink: Sink) => Promise<SinkResult>) => {
    const result = await work(first);
    return result.status === 'ok' ? work(second) : result;
  };
  return {
    add: (data, record) => inTurn((sink) => sink.add(data, record)),
    finish: () => inTurn((sink) => sink.finish()),
    outcome: (result, records) =>
      (result === 'complete' ? [first, second] : [first])
        .map((sink) => sink.outcome(result, records))
        .join('\n'),
    async close() {
      await first.close();
      await second.close();
    },
  };
}
