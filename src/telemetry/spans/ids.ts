import { createHash } from 'node:crypto';
import type { IdGenerator } from '@opentelemetry/sdk-trace';

/** What a run's ids are made of: two bridges that see the same run, one after the other, make the same ids. */
export interface RunKey {
  readonly jobId: string | undefined;
  /** Unix milliseconds. */
  readonly startTimeMs: number | undefined;
  readonly rank: number | undefined;
  /** Stands in for what a file without job_id or start_time does not say; the same after a restart of the bridge. */
  readonly standIn: string;
}

/** The trace of a run that nobody else began: ranks of one job share it. */
export function traceIdOf(key: RunKey): string {
  return digest(['trace', ...identity(key)]).slice(0, 32);
}

/** The span of a run, or with more `parts` one of those below it. */
export function spanIdOf(key: RunKey, ...parts: readonly (string | number)[]): string {
  return digest(['span', ...identity(key), key.rank ?? null, ...parts]).slice(0, 16);
}

function identity({ jobId, startTimeMs, standIn }: RunKey) {
  const isWhole = jobId !== undefined && startTimeMs !== undefined;
  return [jobId ?? null, startTimeMs ?? null, isWhole ? null : standIn];
}

/** As JSON, so that no two lists of parts come out as the same text. */
function digest(parts: readonly (string | number | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** An id generator of the SDK that gives the ids it was told before. */
export interface IdSource extends IdGenerator {
  next(ids: { readonly traceId: string; readonly spanId: string }): void;
}

export function createIdGenerator(): IdSource {
  let told = { traceId: '', spanId: '' };
  return {
    next: (ids) => {
      told = ids;
    },
    generateTraceId: () => told.traceId,
    generateSpanId: () => told.spanId,
  };
}
