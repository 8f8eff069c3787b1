import type { Clock, Moment } from '../common/clock.ts';
import { interpretBytes } from './interpret.ts';
import { type FileVersion, type ReadOutcome, readMetricsFile, sameVersion, statMetricsFile } from './read.ts';
import { rereadTorn } from './reread.ts';
import type { Snapshot } from './snapshot.ts';

export type PollOutcome =
  /** New bytes, read well. */
  | { readonly status: 'ok'; readonly snapshot: Snapshot }
  | { readonly status: 'unchanged' }
  | {
      readonly status:
        | 'missing'
        | 'empty'
        | 'malformed'
        | 'too_large'
        | 'not_a_file'
        | 'unreadable'
        | 'failed'
        /** The read has not returned: the volume hangs, or is slow. */
        | 'hung';
      readonly reason: string;
    };

export interface Poll extends Ages {
  readonly outcome: PollOutcome;
  readonly moment: Moment;
}

export interface Ages {
  /** Time since the file was last written; undefined until one was seen. Never negative, and free of clock jumps. */
  readonly fileAgeMs: number | undefined;
  /** The same of the last write that could be read: a file that goes on being written, but badly, is no news. */
  readonly snapshotAgeMs: number | undefined;
}

export interface Poller {
  poll(): Promise<Poll>;
  /** Looks when the file was last written, without reading it. Never throws. */
  stat(): Promise<void>;
  /** The ages at a moment, by what the last poll or `stat` found. No I/O. */
  ages(now: Moment): Ages;
}

/**
 * File systems stamp a write with a coarse clock (2 s on FAT, one tick elsewhere), so a version this young may hide a
 * second write behind the same stamp, and is read again at the next poll.
 */
const settledAfterMs = 2_000;

type Judged = Exclude<PollOutcome, { status: 'unchanged' }>;

/** Follows one file. A new snapshot is one whose bytes changed, however the file came to be written. */
export function createPoller(path: string, clock: Clock): Poller {
  let version: FileVersion | undefined;
  let seen: FileVersion | undefined;
  let ofVersion: PollOutcome | undefined;
  let settled = false;
  let lastGood: Buffer | undefined;
  let goodWrittenMonotonicMs: number | undefined;
  const age = createAge();

  async function readOnce(): Promise<PollOutcome> {
    const read = await readMetricsFile(path, settled ? version : undefined);
    if (read.status === 'unchanged') return repeat(ofVersion);
    if ('version' in read) remember(read.version);
    else settled = false;
    ofVersion = read.status === 'ok' && lastGood?.equals(read.bytes) ? { status: 'unchanged' } : judge(read);
    if (read.status === 'ok' && ofVersion.status === 'ok') lastGood = read.bytes;
    return ofVersion;
  }

  function remember(next: FileVersion): void {
    updateAge(next);
    settled = Math.abs(clock().unixMs - modifiedMs(next)) > settledAfterMs;
    version = next;
  }

  function updateAge(next: FileVersion): void {
    if (seen === undefined || !sameVersion(seen, next)) age.written(modifiedMs(next), clock());
    seen = next;
  }

  function ages(now: Moment): Ages {
    const snapshotAgeMs =
      goodWrittenMonotonicMs === undefined ? undefined : now.monotonicMs - goodWrittenMonotonicMs;
    return { fileAgeMs: age.at(now), snapshotAgeMs };
  }

  return {
    async poll() {
      const outcome = await rereadTorn(readOnce, ({ status }) => status);
      const moment = clock();
      const { fileAgeMs } = ages(moment);
      if (fileAgeMs !== undefined && (outcome.status === 'ok' || outcome.status === 'unchanged')) {
        goodWrittenMonotonicMs = moment.monotonicMs - fileAgeMs;
      }
      age.looked(moment);
      return { outcome, moment, ...ages(moment) };
    },
    async stat() {
      const next = await statMetricsFile(path);
      if (next !== undefined) updateAge(next);
      age.looked(clock());
    },
    ages,
  };
}

const modifiedMs = ({ modifiedNs }: FileVersion) => Number(modifiedNs / 1_000_000n);

/** What was read before is no news where it was good, and still wrong where it was not. */
function repeat(before: PollOutcome | undefined): PollOutcome {
  return before === undefined || before.status === 'ok' ? { status: 'unchanged' } : before;
}

function judge(read: Exclude<ReadOutcome, { status: 'unchanged' }>): Judged {
  switch (read.status) {
    case 'ok':
      return interpretBytes(read.bytes);
    case 'torn':
      return { status: 'malformed', reason: 'it was being written while it was read' };
    case 'empty':
      return { status: 'empty', reason: 'the file is empty' };
    default:
      return { status: read.status, reason: read.reason };
  }
}

/**
 * Age by the uptime clock. The file's own stamp counts for the time before it was seen; where the system's clock was
 * set since the last look, stamp and clock cannot be compared, and that time was at most the time since that look.
 */
function createAge() {
  let writtenMonotonicMs: number | undefined;
  let lastLook: Moment | undefined;
  return {
    written(modifiedMs: number, now: Moment): void {
      const byStamp = Math.max(0, now.unixMs - modifiedMs);
      const before =
        lastLook !== undefined && wasSet(lastLook, now)
          ? Math.min(byStamp, now.monotonicMs - lastLook.monotonicMs)
          : byStamp;
      writtenMonotonicMs = now.monotonicMs - before;
    },
    looked(now: Moment): void {
      lastLook = now;
    },
    at(now: Moment): number | undefined {
      return writtenMonotonicMs === undefined ? undefined : now.monotonicMs - writtenMonotonicMs;
    },
  };
}

/** Whether somebody set the system's clock between two moments; NTP's slewing stays far below a second. */
function wasSet(earlier: Moment, later: Moment): boolean {
  return Math.abs(later.unixMs - later.monotonicMs - (earlier.unixMs - earlier.monotonicMs)) > 1_000;
}
