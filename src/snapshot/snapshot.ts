import type { NumericField } from '../catalogue/metrics.ts';

/** One reading of the file, with everything that was wrong with it already taken out. Times are Unix milliseconds. */
export interface Snapshot {
  readonly timestampMs: number | undefined;
  readonly job: JobMetadata;
  readonly status: 'running' | 'completed' | 'failed' | undefined;
  readonly error: { readonly type: string; readonly message: string } | undefined;
  readonly events: readonly FileEvent[];
  /** Finite and within bounds. */
  readonly values: Readonly<Partial<Record<NumericField, number>>>;
  /** Fields the catalogue does not know, by the name they have as a metric; finite. */
  readonly extras: ReadonlyMap<string, number>;
  /** NaN and the infinities, by field or by the extra's name. */
  readonly nonFinite: ReadonlyMap<string, number>;
  /** What was left out, and why. */
  readonly skipped: readonly SkippedField[];
  /** Fields that held a number as text. */
  readonly converted: readonly string[];
}

export interface JobMetadata {
  readonly jobId: string | undefined;
  readonly modelName: string | undefined;
  readonly dataset: string | undefined;
  readonly startTimeMs: number | undefined;
  readonly rank: number | undefined;
  readonly jobType: string | undefined;
  readonly traceparent: string | undefined;
  readonly tracestate: string | undefined;
}

export interface FileEvent {
  readonly name: string;
  readonly timeMs: number | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

export interface SkippedField {
  readonly field: string;
  /** Whether the field is one the file's contract knows; names of other fields are too many to be counted one by one. */
  readonly known: boolean;
  readonly reason: SkipReason;
}

export type SkipReason =
  | 'null'
  | 'wrong_type'
  | 'out_of_range'
  | 'not_a_time'
  | 'too_long'
  | 'invalid_name'
  | 'name_taken'
  | 'too_many';
