import type { RunState } from '../catalogue/metrics.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { SnapshotSource } from '../snapshot/source.ts';
import type { Pace } from './pace.ts';
import type { Position } from './position.ts';
import type { Progress } from './progress.ts';
import type { WriteGaps } from './write-gaps.ts';

/** The state of one training run. Immutable: each change gives a new value. */
export interface Run {
  readonly identity: RunIdentity;
  /** From the first snapshot. They never change, because a changed label would begin a second series. */
  readonly labels: RunLabels;
  /** `waiting`: the file was left by an earlier run and was not written since the bridge started. */
  readonly state: RunState;
  /** False once the file has not been written for STALE_AFTER: its gauges are then no longer exported. */
  readonly fresh: boolean;
  readonly progress: Progress;
  /** As the latest snapshot states it; undefined if it does not say how long the run is. */
  readonly position: Position | undefined;
  readonly pace: Pace;
  readonly lastStep: LastStep;
  /** The state at the latest snapshot; of a log, the last value of each field. */
  readonly latest: Snapshot;
  /** The snapshot that was applied last; of a log, one record. */
  readonly applied: Snapshot;
  /** Only of a log. */
  readonly writeGaps: WriteGaps | undefined;
  /** When the latest snapshot was read, by the monotonic clock. */
  readonly seenMonotonicMs: number;
  /** When the state became `completed` or `failed`, by the monotonic clock; undefined in any other state. */
  readonly overMonotonicMs: number | undefined;
  /** Names of this run's extra metrics, at most MAX_EXTRA_METRICS. */
  readonly extras: ReadonlySet<string>;
  /** How many times each field was NaN or infinite. */
  readonly nonFinite: ReadonlyMap<string, number>;
  /** Runs seen before this one, newest first. If two jobs write one file, they return in turn. */
  readonly previousRuns: readonly PreviousRun[];
  /** Snapshots of this run so far. */
  readonly snapshots: number;
  /** How many runs in a row before this one had one snapshot each, while the progress went on across them. */
  readonly shortRuns: number;
  /** The fields of the identity that change with every write, so that they do not identify the run. */
  readonly changingFields: readonly IdentityField[];
  /** The position before the epoch fell or rose again, if no identity tells a restart from a second writer. */
  readonly otherWriter: WriterPosition | undefined;
}

/** A restarted job keeps its job_id and has a new start_time. */
export interface RunIdentity {
  readonly jobId: string | undefined;
  readonly startTimeMs: number | undefined;
}

/** The fields of `job_metadata` that identify a run. */
export type IdentityField = 'job_id' | 'start_time';

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

/** How far a writer of the file is, and when it was last seen. */
export interface WriterPosition {
  readonly epoch: number;
  readonly batch: number | undefined;
  readonly seenMonotonicMs: number;
}

/** The time of a poll, and how long before it the file was last written in a readable form. */
export interface PollTime {
  readonly unixMs: number;
  readonly monotonicMs: number;
  readonly fileAgeMs: number;
  /** When the bridge started, if the file was there before that. */
  readonly startedMonotonicMs?: number | undefined;
  /** Whether the bridge found a file, or a log, when it started. */
  readonly foundAtStart?: boolean;
}

export interface RunPolicy {
  readonly staleAfterMs: number;
  readonly stallAfterMs: number;
  readonly maxExtraMetrics: number;
  /** What a snapshot of the source is. */
  readonly content?: SnapshotSource['content'];
  /** Rank of this process if the file has none. */
  readonly rank: number | undefined;
}

/** What happened to a run, for the log, the metrics and the spans. */
export type RunEvent =
  | { readonly kind: 'run_began'; readonly run: Run }
  | { readonly kind: 'earlier_run'; readonly ageMs: number; readonly run: Run }
  | { readonly kind: 'run_ended'; readonly run: Run; readonly reason: 'status' | 'replaced' | 'stopped' }
  | { readonly kind: 'epoch_ended'; readonly epoch: number; readonly run: Run }
  | { readonly kind: 'became_non_finite'; readonly field: string; readonly value: number }
  | { readonly kind: 'became_finite'; readonly field: string }
  | { readonly kind: 'went_stale' | 'became_fresh' | 'stalled' | 'resumed' }
  | { readonly kind: 'run_rewound'; readonly step: number | undefined; readonly from: number }
  | { readonly kind: 'counts_from_zero' }
  | { readonly kind: 'extras_refused'; readonly names: readonly string[] }
  | { readonly kind: 'two_writers'; readonly other: RunIdentity }
  | { readonly kind: 'identity_changes'; readonly fields: readonly IdentityField[] };

/** The result of a snapshot or of passing time. */
export interface Transition {
  /** Undefined until a snapshot was read. */
  readonly run: Run | undefined;
  readonly events: readonly RunEvent[];
}

/** The snapshot that caused a transition, if it is part of the run. That of a second writer is not. */
export const ownSnapshot = ({ run }: Transition, snapshot: Snapshot | undefined): Snapshot | undefined =>
  run?.applied === snapshot ? snapshot : undefined;
