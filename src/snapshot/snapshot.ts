import type { NumericField } from '../catalogue/metrics.ts';
import type { SkipReason } from '../catalogue/outcomes.ts';

/** The valid content of the file at one time. Times are Unix milliseconds. */
export interface Snapshot {
  readonly timestampMs: number | undefined;
  readonly job: JobMetadata;
  readonly status: 'running' | 'completed' | 'failed' | undefined;
  readonly error: { readonly type: string; readonly message: string } | undefined;
  readonly events: readonly FileEvent[];
  /** Finite and within bounds. */
  readonly values: Readonly<Partial<Record<NumericField, number>>>;
  /** Numbers of fields that the catalogue does not have, by the name of their metric; finite. */
  readonly extras: ReadonlyMap<string, number>;
  /** NaN and the infinities, by field or by the extra's name. */
  readonly nonFinite: ReadonlyMap<string, number>;
  /** What was left out of the snapshot, and why. */
  readonly skipped: readonly SkippedField[];
  /** Fields that are absent and were read from another name of the file, such as `loss`, and that name. */
  readonly presets: ReadonlyMap<NumericField, string>;
  /** Fields that held a number as text. */
  readonly converted: readonly string[];
  /** Progress that a log states itself. Used if the numbers above do not give it. */
  readonly reportedProgress?: ReportedProgress;
  /** Of a log: where the run goes on from, if it went back to a checkpoint before this record. */
  readonly resume?: Resume;
}

/** A run that went back to a checkpoint. Steps, or epochs if there are none. */
export interface Resume {
  readonly at: number;
  /** Where it was before. */
  readonly from: number;
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

export interface ReportedProgress {
  /** From 0 to 1. */
  readonly share: number | undefined;
  /** Time until the end of the run, at the time of the record. */
  readonly remainingMs: number | undefined;
}

export interface FileEvent {
  readonly name: string;
  readonly timeMs: number | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
}

/** Part of the file that a field is in. `events` is one entry of that list. */
export type FileSection = 'top level' | 'job_metadata' | 'training_metrics' | 'events';

export interface SkippedField {
  readonly section: FileSection;
  readonly field: string;
  /** Whether the file's contract defines the field. Other fields have any name, so they are not counted by name. */
  readonly known: boolean;
  readonly reason: SkipReason;
}

export type SnapshotParseResult =
  | { readonly status: 'ok'; readonly snapshot: Snapshot }
  | { readonly status: 'malformed' | 'no_metrics'; readonly reason: string };

/** Reads one file format. Never throws. */
export type SnapshotParser = (bytes: Uint8Array) => SnapshotParseResult;
