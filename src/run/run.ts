import type { RunState } from '../catalogue/metrics.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Progress } from './progress.ts';

/** What is known of one training run. A plain value: every change makes a new one. */
export interface Run {
  readonly identity: RunIdentity;
  /** As the first snapshot had them: a label that changed later would be a second series. */
  readonly labels: RunLabels;
  readonly state: Exclude<RunState, 'waiting'>;
  /** False once the file has not been written for STALE_AFTER; its values are history then. */
  readonly fresh: boolean;
  readonly progress: Progress;
  readonly lastStep: LastStep;
  readonly latest: Snapshot;
  /** When the latest snapshot was read, by uptime. */
  readonly seenMonotonicMs: number;
  /** Names of the extra metrics this run has shown, at most MAX_EXTRA_METRICS. */
  readonly extras: ReadonlySet<string>;
  /** How often each field was NaN or infinite. */
  readonly nonFinite: ReadonlyMap<string, number>;
  /** Runs that were seen before this one and when, newest first: two writers on one file come back in turn. */
  readonly previousRuns: readonly PreviousRun[];
  /** Where the file was before its epoch fell or rose again, where no identity tells a restart from a second writer. */
  readonly otherWriter: WriterPosition | undefined;
}

/** A restarted job keeps its id and has a new start time. */
export interface RunIdentity {
  readonly jobId: string | undefined;
  readonly startTimeMs: number | undefined;
}

export interface RunLabels {
  readonly modelName: string | undefined;
  readonly dataset: string | undefined;
  readonly rank: number | undefined;
}

export interface LastStep {
  readonly unixMs: number;
  readonly monotonicMs: number;
}

export interface PreviousRun {
  readonly identity: RunIdentity;
  readonly seenMonotonicMs: number;
}

/** How far somebody's writes are, and when the last was seen. */
export interface WriterPosition {
  readonly epoch: number;
  readonly batch: number | undefined;
  readonly seenMonotonicMs: number;
}

/** The moment of a poll, and how long before it the file was last written such that it could be read. */
export interface PollTime {
  readonly unixMs: number;
  readonly monotonicMs: number;
  readonly fileAgeMs: number;
}

export interface RunPolicy {
  readonly staleAfterMs: number;
  readonly stallAfterMs: number;
  readonly maxExtraMetrics: number;
  /** Rank of this process where the file names none. */
  readonly rank: number | undefined;
}

/** What a step found, for those who tell: logs, metrics, spans. */
export type RunEvent =
  | { readonly kind: 'run_began'; readonly run: Run }
  | { readonly kind: 'run_ended'; readonly run: Run; readonly reason: 'status' | 'replaced' | 'stopped' }
  | { readonly kind: 'epoch_ended'; readonly epoch: number; readonly run: Run }
  | { readonly kind: 'became_non_finite'; readonly field: string; readonly value: number }
  | { readonly kind: 'became_finite'; readonly field: string }
  | { readonly kind: 'went_stale' | 'became_fresh' | 'stalled' | 'resumed' }
  | { readonly kind: 'extras_refused'; readonly names: readonly string[] }
  | { readonly kind: 'two_writers'; readonly other: RunIdentity };

/** What a snapshot, or the time, made of a run. */
export interface Transition {
  /** Undefined while no snapshot was seen. */
  readonly run: Run | undefined;
  readonly events: readonly RunEvent[];
}
