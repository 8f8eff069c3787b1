import type { PollFailure } from '../catalogue/outcomes.ts';
import type { Moment } from '../common/clock.ts';
import type { MissingFile } from './read-errors.ts';
import type { Snapshot } from './snapshot.ts';

/** Where snapshots are read from. Each format is one implementation; nothing outside of `snapshot/` knows which. */
export interface SnapshotSource {
  /** Gives what is new since the last poll, or says why there is nothing. */
  poll(): Promise<Poll>;
  /** Finds out when the file was last written, without reading it. Never throws. */
  stat(): Promise<void>;
  /** The ages at a moment, from what the last poll or `stat` found. No I/O. */
  ages(now: Moment): Ages;
}

export type PollOutcome =
  /** New snapshots, oldest first; at least one. */
  | { readonly status: 'ok'; readonly snapshots: readonly TimedSnapshot[] }
  | { readonly status: 'unchanged' }
  | MissingFile
  | { readonly status: Exclude<PollFailure, 'missing'>; readonly reason: string };

export interface TimedSnapshot {
  readonly snapshot: Snapshot;
  /** The time of its data points, in Unix milliseconds; undefined if that is when it was read. */
  readonly timeMs?: number | undefined;
}

export interface Poll extends Ages {
  readonly outcome: PollOutcome;
  readonly moment: Moment;
}

export interface Ages {
  /** Time since the file was last written; undefined until one was seen. Never negative, and free of clock jumps. */
  readonly fileAgeMs: number | undefined;
  /** Time since the last write that could be parsed; undefined until there was one. */
  readonly snapshotAgeMs: number | undefined;
}
