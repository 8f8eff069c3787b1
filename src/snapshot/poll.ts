import type { PollFailure } from '../catalogue/outcomes.ts';
import type { Clock, Moment } from '../common/clock.ts';
import { createFileAge } from './file-age.ts';
import {
  type FileVersion,
  type MissingFile,
  type ReadOutcome,
  readMetricsFile,
  sameVersion,
  statMetricsFile,
} from './read.ts';
import { rereadTorn } from './reread.ts';
import type { Snapshot, SnapshotParser } from './snapshot.ts';

export type PollOutcome =
  /** The bytes are new and were parsed. */
  | { readonly status: 'ok'; readonly snapshot: Snapshot }
  | { readonly status: 'unchanged' }
  | MissingFile
  | { readonly status: Exclude<PollFailure, 'missing'>; readonly reason: string };

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

export interface Poller {
  poll(): Promise<Poll>;
  /** Finds out when the file was last written, without reading it. Never throws. */
  stat(): Promise<void>;
  /** The ages at a moment, from what the last poll or `stat` found. No I/O. */
  ages(now: Moment): Ages;
}

export interface PollerOptions {
  readonly path: string;
  readonly clock: Clock;
  /** Reads the format of the file. */
  readonly parse: SnapshotParser;
}

/**
 * The coarsest modification time of a common file system is 2 s, on FAT. A younger version may hide a second write with
 * the same modification time, so the next poll reads it again.
 */
const modificationTimeStepMs = 2_000;

/** Polls one file that is replaced or overwritten. A snapshot is new if its bytes changed. */
export function createPoller({ path, clock, parse }: PollerOptions): Poller {
  /** The version that was read last. */
  let version: FileVersion | undefined;
  /** The version that was seen last, by a poll or by `stat`. */
  let seenVersion: FileVersion | undefined;
  let outcomeOfVersion: PollOutcome | undefined;
  let mayHideWrite = true;
  let lastParsed: Buffer | undefined;
  let parsedWriteMonotonicMs: number | undefined;
  const age = createFileAge();

  async function readOnce(): Promise<PollOutcome> {
    const read = await readMetricsFile(path, mayHideWrite ? undefined : version);
    if (read.status === 'unchanged') return repeatedOutcome(outcomeOfVersion);
    if ('version' in read) setVersion(read.version);
    else mayHideWrite = true;
    outcomeOfVersion = outcomeOf(read);
    return outcomeOfVersion;
  }

  function setVersion(next: FileVersion): void {
    updateAge(next);
    mayHideWrite = Math.abs(clock().unixMs - modifiedMs(next)) <= modificationTimeStepMs;
    version = next;
  }

  function updateAge(next: FileVersion): void {
    if (seenVersion === undefined || !sameVersion(seenVersion, next)) age.written(modifiedMs(next), clock());
    seenVersion = next;
  }

  function ages(now: Moment): Ages {
    const snapshotAgeMs =
      parsedWriteMonotonicMs === undefined ? undefined : now.monotonicMs - parsedWriteMonotonicMs;
    return { fileAgeMs: age.at(now), snapshotAgeMs };
  }

  function outcomeOf(read: Exclude<ReadOutcome, { status: 'unchanged' }>): PollOutcome {
    switch (read.status) {
      case 'ok': {
        if (lastParsed?.equals(read.bytes)) return { status: 'unchanged' };
        const parsed = parse(read.bytes);
        if (parsed.status === 'ok') lastParsed = read.bytes;
        return parsed;
      }
      case 'torn':
        return { status: 'malformed', reason: 'it was being written while it was read' };
      case 'empty':
        return { status: 'empty', reason: 'the file is empty' };
      case 'missing':
        return read;
      default:
        return { status: read.status, reason: read.reason };
    }
  }

  return {
    async poll() {
      const outcome = await rereadTorn(readOnce, ({ status }) => status);
      const moment = clock();
      const { fileAgeMs } = ages(moment);
      if (fileAgeMs !== undefined && (outcome.status === 'ok' || outcome.status === 'unchanged')) {
        parsedWriteMonotonicMs = moment.monotonicMs - fileAgeMs;
      }
      age.checked(moment);
      return { outcome, moment, ...ages(moment) };
    },
    async stat() {
      const next = await statMetricsFile(path);
      if (next !== undefined) updateAge(next);
      age.checked(clock());
    },
    ages,
  };
}

const modifiedMs = ({ modifiedNs }: FileVersion) => Number(modifiedNs / 1_000_000n);

/** The outcome of a version that was polled before: a failure lasts, a snapshot is new only once. */
function repeatedOutcome(before: PollOutcome | undefined): PollOutcome {
  return before === undefined || before.status === 'ok' ? { status: 'unchanged' } : before;
}
