import type { PollFailure } from '../catalogue/outcomes.ts';
import type { Moment } from '../common/clock.ts';
import type { MissingFile } from './read-errors.ts';
import type { Snapshot } from './snapshot.ts';

/** Where snapshots are read from. Each format is one implementation; nothing outside of `snapshot/` knows which. */
export interface SnapshotSource {
  /** Whether a snapshot is the whole state at its time, or one record, whose absent fields keep their last value. */
  readonly content: 'state' | 'records';
  /** Gives at most `limit` new snapshots since the last poll, or says why there are none. */
  poll(limit?: number): Promise<Poll>;
  /** Passes over what can be read, but for the last snapshots of a log; absent if `poll` gives those. */
  pollLast?(): Promise<Poll>;
  /** Finds out when the file was last written, without reading it. Never throws. */
  stat(): Promise<void>;
  /** The ages at a moment, from what the last poll or `stat` found. No I/O. */
  ages(now: Moment): Ages;
  /** Closes the files of a log. Never throws; absent if no file stays open between polls. */
  close?(): Promise<void>;
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
  /** Whether `timeMs` is known to be when it was recorded. Otherwise it only keeps the records of a log in order. */
  readonly hasOwnTime?: boolean;
}

export interface Poll extends Ages {
  readonly outcome: PollOutcome;
  readonly moment: Moment;
  /** Whether the next poll gives more snapshots without a write. */
  readonly more?: boolean;
  /** How many records were passed over, because there was no time to export them. */
  readonly passedOver?: number;
  /** Keeps how far the log was read, for the next bridge. Called once all snapshots up to this poll were delivered. */
  readonly keepPosition?: (() => Promise<void>) | undefined;
  /** Records of a log that are not measurements, because they are damaged. */
  readonly skipped?: readonly SkippedRecords[];
  /** How many log files were looked at, if there are more. */
  readonly logLimit?: number | undefined;
}

/** Records that were passed over for one reason. */
export interface SkippedRecords {
  readonly reason: string;
  readonly count: number;
  /** What is wrong with the first of them. */
  readonly message: string;
}

export const maxSnapshotsOfPoll = 256;

export interface Ages {
  /** Time since the file was last written; undefined until one was seen. Never negative, and free of clock jumps. */
  readonly fileAgeMs: number | undefined;
  /** Time since the last write that could be parsed; undefined until there was one. */
  readonly snapshotAgeMs: number | undefined;
}
