import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { LogFormat } from '../../catalogue/file-formats.ts';
import type { Clock } from '../../common/clock.ts';
import { type FileVersion, sameVersion, versionOf } from '../json-file.ts';
import { describeReadError, kindOf, type ReadFailure } from '../read-errors.ts';
import {
  extendFingerprint,
  type Fingerprint,
  fingerprintAt,
  matchesFingerprint,
  noFingerprint,
  readAt,
} from './fingerprint.ts';
import { createDecoder } from './formats/create-decoder.ts';
import type { DecoderProblem, LogRecord, RecordDecoder } from './formats/decoder.ts';
import { addCompared, addRecord, compareHistory, noHistory, type RecordHistory } from './record-history.ts';

/** Where a file is read from. The offset is the start of a record. */
export interface FilePosition {
  readonly offset: number;
  /** The columns of a CSV file that is not read from its start. */
  readonly columns?: readonly string[] | undefined;
  readonly fingerprint: Fingerprint;
  readonly history: RecordHistory;
}

export const fileStart: FilePosition = { offset: 0, fingerprint: noFingerprint, history: noHistory };

export type FollowResult =
  | {
      readonly status: 'ok';
      /** New complete records, in the order of the file. */
      readonly records: readonly LogRecord[];
      /** Whether more may be read at once. */
      readonly more: boolean;
      /** Whether these are the first records of new content. `rotated`: the file with the previous content was renamed. */
      readonly isOther: false | 'rotated' | 'replaced';
      readonly problems: readonly DecoderProblem[];
    }
  | { readonly status: 'not_a_file'; readonly reason: string }
  | ReadFailure;

/** Follows one file that is appended to. If the file is rewritten, continues after the last record that was read. */
export interface FileFollower {
  /** Reads at most `limit` more records. Never throws. */
  read(limit: number): Promise<FollowResult>;
  /** When the file was created and last written, in Unix milliseconds; undefined until it was seen. */
  readonly times: FileTimes | undefined;
  /** The position before the last record that was read. A reader that continues there has the current state at once. */
  readonly lastPosition: FilePosition;
  close(): Promise<void>;
}

export interface FileTimes {
  readonly createdMs: number;
  readonly modifiedMs: number;
}

export interface FollowOptions {
  readonly path: string;
  readonly format: LogFormat;
  readonly clock: Clock;
  /** Where to begin; by default, at the start of the file. */
  readonly from?: FilePosition | undefined;
}

const chunkBytes = 65_536;
const recordsOfStep = 1_000;
/** Limit of one poll, which would otherwise take seconds for a file in which all records are skipped. */
const maxBytesOfPoll = 16 * 1_048_576;
/** A rewrite is complete if the file has not changed for this long. */
const settledAfterMs = 10_000;
/** The longest rewrite. After it, the file is read as new content. */
const longestRewriteMs = 30_000;

/** Decodes a file from one offset on. Bytes become part of the fingerprint only when they are confirmed. */
interface Reading {
  readonly decoder: RecordDecoder;
  fingerprint: Fingerprint;
}

export function createFileFollower({ path, format, clock, from = fileStart }: FollowOptions): FileFollower {
  let handle: FileHandle | undefined;
  let version: FileVersion | undefined;
  let times: FileTimes | undefined;
  let reading: Reading | undefined;
  /** Decoded records that were not returned yet. */
  let decoded: LogRecord[] = [];
  /** The position after the last record that was returned. */
  let position = from;
  let lastPosition = from;
  /** Since when the content differs from what was read; undefined while it does not. */
  let rewrite: { readonly sinceMs: number; changedMs: number } | undefined;
  let isOther: false | 'rotated' | 'replaced' = false;
  let isRotated = false;

  async function readFromStart(): Promise<Reading> {
    return { decoder: await createDecoder(format), fingerprint: noFingerprint };
  }

  /** Undefined if the content before the position has changed. */
  async function readFromPosition(file: FileHandle): Promise<Reading | undefined> {
    const { offset, columns, fingerprint } = position;
    if (!(await matchesFingerprint(file, fingerprint))) return undefined;
    const decoder = await createDecoder(format, { offset, ...(columns && { columns }) });
    return { decoder, fingerprint: await fingerprintAt(file, offset) };
  }

  /** Reads and decodes up to `limit` records; undefined if bytes that were read before have changed. */
  async function readOn(file: FileHandle, into: Reading, limit: number) {
    const records: LogRecord[] = [];
    let { fingerprint } = into;
    let isAtEnd = false;
    const stopAt = fingerprint.end + maxBytesOfPoll;
    while (records.length < limit && fingerprint.end < stopAt && !isAtEnd) {
      const bytes = await readAt(file, fingerprint.end, chunkBytes);
      isAtEnd = bytes.length < chunkBytes;
      fingerprint = extendFingerprint(fingerprint, bytes);
      records.push(...into.decoder.push(bytes));
    }
    // If a writer replaced the content during the read, these bytes are of two versions.
    if (!(await matchesFingerprint(file, fingerprint))) return undefined;
    into.fingerprint = fingerprint;
    return { records, isAtEnd };
  }

  /** Reads a rewritten file up to the last record that was returned. */
  async function findPlace(file: FileHandle): Promise<'found' | 'waiting'> {
    const scan = await readFromStart();
    let seen = noHistory;
    for (let isAtEnd = false; !isAtEnd; ) {
      const read = await readOn(file, scan, recordsOfStep);
      if (read === undefined) return 'waiting';
      isAtEnd = read.isAtEnd;
      for (const [index, record] of read.records.entries()) {
        seen = addCompared(position.history, seen, record);
        const comparison = compareHistory(position.history, seen);
        if (comparison === 'other') return startOver();
        if (comparison === 'behind') continue;
        reading = scan;
        decoded = read.records.slice(index + 1);
        return 'found';
      }
    }
    return 'waiting';
  }

  /** Reads new content from its start. */
  async function startOver(): Promise<'found'> {
    reading = await readFromStart();
    position = fileStart;
    decoded = [];
    isOther = isRotated ? 'rotated' : 'replaced';
    isRotated = false;
    return 'found';
  }

  async function recover(file: FileHandle, next: FileVersion): Promise<'found' | 'waiting'> {
    const nowMs = clock().monotonicMs;
    rewrite ??= { sinceMs: nowMs, changedMs: nowMs };
    if (version === undefined || !sameVersion(version, next)) rewrite.changedMs = nowMs;
    reading = undefined;
    decoded = [];
    const isOver = nowMs - rewrite.changedMs >= settledAfterMs || nowMs - rewrite.sinceMs >= longestRewriteMs;
    const isFirst = position.history.count === 0;
    const place = isFirst || (isOver && next.size > 0n) ? await startOver() : await findPlace(file);
    if (place === 'found') rewrite = undefined;
    return place;
  }

  async function readHandle(file: FileHandle, limit: number): Promise<FollowResult> {
    const stats = await file.stat({ bigint: true });
    const next = versionOf(stats);
    const modifiedMs = Number(stats.mtimeNs / 1_000_000n);
    // 0 if the file system does not keep it.
    const createdMs = Number(stats.birthtimeMs) || modifiedMs;
    times = { createdMs: Math.min(createdMs, modifiedMs), modifiedMs };
    const isUnchanged = version !== undefined && sameVersion(version, next) && rewrite === undefined;
    if (decoded.length < limit && !(isUnchanged && reading !== undefined && isDone(reading, next))) {
      reading ??= rewrite === undefined ? await readFromPosition(file) : undefined;
      const isAsRead = reading !== undefined && (await matchesFingerprint(file, reading.fingerprint));
      const place = isAsRead ? 'found' : await recover(file, next);
      if (place === 'found' && reading !== undefined) {
        const read = await readOn(file, reading, limit - decoded.length);
        if (read === undefined) await recover(file, next);
        else decoded.push(...read.records);
      }
    } else if (isUnchanged && reading !== undefined && decoded.length < limit) {
      decoded.push(...reading.decoder.finish());
    }
    version = next;
    return give(limit, next);
  }

  const isDone = ({ fingerprint }: Reading, { size }: FileVersion) => BigInt(fingerprint.end) >= size;

  function give(limit: number, next: FileVersion): FollowResult {
    const records = decoded.splice(0, limit);
    const problems = reading?.decoder.takeProblems() ?? [];
    const more = decoded.length > 0 || (reading !== undefined && !isDone(reading, next));
    const result = { status: 'ok', records, more, isOther, problems } as const;
    for (const record of records) {
      lastPosition = position;
      position = {
        offset: record.end,
        columns: reading?.decoder.columns,
        fingerprint: reading?.fingerprint ?? noFingerprint,
        history: addRecord(position.history, record),
      };
    }
    if (records.length > 0) isOther = false;
    return result;
  }

  return {
    async read(limit) {
      try {
        const found = await stat(path, { bigint: true }).catch((error) => error as NodeJS.ErrnoException);
        if (handle !== undefined) {
          const isSame =
            !(found instanceof Error) && version?.inode === found.ino && version.device === found.dev;
          const result = await readHandle(handle, limit);
          const hasRest = result.status === 'ok' && (result.records.length > 0 || result.more);
          if (isSame || hasRest) return result;
          // The file was renamed or removed, and all of it was read.
          isRotated = (await handle.stat()).nlink > 0;
          await handle.close();
          handle = undefined;
        }
        if (found instanceof Error) return await describeReadError(path, found);
        if (!found.isFile()) return { status: 'not_a_file', reason: `${path} is ${kindOf(found)}` };
        handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
        version = undefined;
        return await readHandle(handle, limit);
      } catch (error) {
        return await describeReadError(path, error as NodeJS.ErrnoException);
      }
    },
    get times() {
      return times;
    },
    get lastPosition() {
      return lastPosition;
    },
    async close() {
      await handle?.close().catch(() => undefined);
      handle = undefined;
    },
  };
}
