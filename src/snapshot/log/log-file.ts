import { type FileHandle, open } from 'node:fs/promises';
import { formatOfPreset, type PresetName } from '../../catalogue/file-formats.ts';
import type { Clock } from '../../common/clock.ts';
import { describeReadError } from '../read-errors.ts';
import type { Snapshot } from '../snapshot.ts';
import type { PollOutcome, SkippedRecords } from '../source.ts';
import type { FilePosition } from './file-position.ts';
import { readAt } from './fingerprint.ts';
import { createFileFollower, type FileTimes, type FollowResult } from './follow-file.ts';
import type { LogRecord } from './formats/decoder.ts';
import { detectFormat } from './formats/detect.ts';
import { createRecordMapper, snapshotOf } from './formats/map-record.ts';
import { positionNearEnd } from './near-end.ts';
import { createRecordClock, type WriteTimes } from './record-clock.ts';

/** A measurement of a log. */
export interface LogEntry {
  readonly snapshot: Snapshot;
  /** Unix milliseconds. */
  readonly timeMs: number;
  /** As in `TimedSnapshot`. */
  readonly hasOwnTime: boolean;
  readonly record: LogRecord;
  /** Whether it is the first record of new content, which replaced the previous content of the file. */
  readonly isOther: boolean;
}

export interface LogRead {
  readonly status: 'ok';
  readonly entries: readonly LogEntry[];
  readonly more: boolean;
  readonly skipped: readonly SkippedRecords[];
}

export type LogFailure = Exclude<PollOutcome, { status: 'ok' | 'unchanged' }>;

/** One log file, from its bytes to measurements with their times. */
export interface LogFile {
  readonly status: 'ok';
  /** Reads at most `limit` more records. Never throws. */
  read(limit: number): Promise<LogRead | LogFailure>;
  readonly times: FileTimes | undefined;
  /** The position before the last record that was read. */
  readonly lastPosition: FilePosition;
  close(): Promise<void>;
}

export interface LogFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly format: 'auto' | PresetName;
  /** The path before the file was rotated. The format is detected from that name. */
  readonly originalPath?: string;
  /** Folder of the file, relative to that of the run. */
  readonly folder?: string;
  readonly from?: FilePosition | 'near end' | undefined;
}

const detectedBytes = 65_536;

/** Finds out what a file is and begins to follow it. Never throws. */
export async function openLogFile(options: LogFileOptions): Promise<LogFile | LogFailure> {
  const { path, format, from, originalPath = path } = options;
  let handle: FileHandle | undefined;
  try {
    handle = await open(path);
    const preset =
      format === 'auto' ? detectFormat(originalPath, await readAt(handle, 0, detectedBytes)) : format;
    if (preset === 'json') return await notALog(handle, path);
    const position = from === 'near end' ? await positionNearEnd(handle, formatOfPreset(preset)) : from;
    return createLogFile({ ...options, from: position }, preset);
  } catch (error) {
    return await describeReadError(path, error as NodeJS.ErrnoException);
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

async function notALog(handle: FileHandle, path: string): Promise<LogFailure> {
  const { size } = await handle.stat();
  return size === 0
    ? { status: 'empty', reason: `${path} is empty` }
    : {
        status: 'malformed',
        reason: `${path} is no log of a known format; set METRICS_FILE_FORMAT if it is one`,
      };
}

function createLogFile(
  { path, clock, folder, from }: LogFileOptions & { readonly from?: FilePosition | undefined },
  preset: PresetName,
): LogFile {
  const follower = createFileFollower({ path, clock, format: formatOfPreset(preset), from });
  const map = createRecordMapper(preset, folder === undefined ? {} : { folder });
  const recordClock = createRecordClock();
  let isBacklog = from === undefined;
  let isOtherContent = false;

  function entriesOf({ records, more }: Extract<FollowResult, { status: 'ok' }>, times: FileTimes) {
    const writes = { ...times, nowMs: clock().unixMs, isBacklog, isAtEnd: !more };
    const timesOfRecords = recordClock.timesOf(records, writes);
    return records.flatMap((record, index): readonly LogEntry[] => {
      const mapped = map(record);
      const parsed = mapped.status === 'ok' ? snapshotOf(mapped) : undefined;
      if (parsed?.status !== 'ok') return [];
      const timeMs = timesOfRecords[index] as number;
      const snapshot = { ...parsed.snapshot, timestampMs: parsed.snapshot.timestampMs ?? timeMs };
      const isOther = isOtherContent;
      isOtherContent = false;
      return [{ snapshot, timeMs, hasOwnTime: isOwnTime(record, timeMs, writes), record, isOther }];
    });
  }

  return {
    status: 'ok',
    async read(limit) {
      const result = await follower.read(limit);
      if (result.status !== 'ok') return result;
      const { more, isOther } = result;
      isOtherContent ||= isOther === 'replaced';
      const entries = follower.times === undefined ? [] : entriesOf(result, follower.times);
      isBacklog &&= more;
      const skipped = result.problems.map(({ kind, count, message }) => ({ reason: kind, count, message }));
      return { status: 'ok', entries, more, skipped };
    },
    get times() {
      return follower.times;
    },
    get lastPosition() {
      return follower.lastPosition;
    },
    close: () => follower.close(),
  };
}

/**
 * Whether a record states its time, itself or by the seconds since training began. Of a copied file these seconds lead past its
 * last write, because it was created later than it was recorded.
 */
const isOwnTime = ({ time, elapsed }: LogRecord, timeMs: number, { isBacklog, modifiedMs }: WriteTimes) =>
  time !== undefined || (elapsed !== undefined && isBacklog && timeMs < modifiedMs);
