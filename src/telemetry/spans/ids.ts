import { createHash } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace';

/** What the ids of a run are derived from, so that a restarted bridge continues with the same ids. */
export interface RunKey {
  readonly jobId: string | undefined;
  /** Unix milliseconds. */
  readonly startTimeMs: number | undefined;
  readonly rank: number | undefined;
  /** Used where the file has no job_id or no start_time; the same after a restart of the bridge. */
  readonly fallbackId: string;
  /** Set if the bridge sees only a part of the run, so that its spans differ from those of another bridge. */
  readonly part: string | undefined;
}

/** The trace id of a run without a parent. All ranks of a job have the same. */
export function traceIdOf(key: RunKey): string {
  return digest(['trace', ...identity(key)]).slice(0, 32);
}

/** The span id of a run or, with more `parts`, of a span below it. */
export function spanIdOf(key: RunKey, ...parts: readonly (string | number)[]): string {
  const own = key.part === undefined ? [] : [{ part: key.part }];
  return digest(['span', ...identity(key), key.rank ?? null, ...own, ...parts]).slice(0, 16);
}

function identity({ jobId, startTimeMs, fallbackId }: RunKey) {
  const isComplete = jobId !== undefined && startTimeMs !== undefined;
  return [jobId ?? null, startTimeMs ?? null, isComplete ? null : fallbackId];
}

/** Hashes JSON, in which different lists of parts are different texts. */
function digest(parts: readonly (string | number | null | { readonly part: string })[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** An SDK id generator that returns the ids that were set before. */
export interface IdSource extends IdGenerator {
  setNext(ids: { readonly traceId: string; readonly spanId: string }): void;
}

export function createIdGenerator(): IdSource {
  let nextIds = { traceId: '', spanId: '' };
  return {
    setNext: (ids) => {
      nextIds = ids;
    },
    generateTraceId: () => nextIds.traceId,
    generateSpanId: () => nextIds.spanId,
  };
}
