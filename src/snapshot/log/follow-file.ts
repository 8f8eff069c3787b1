import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { LogFormat } from '../../catalogue/file-formats.ts';
import type { Clock } from '../../common/clock.ts';
import { type FileVersion, sameVersion, versionOf } from '../json-file.ts';
import { describeReadError, kindOf, type ReadFailure } from '../read-errors.ts';
import { type FilePosition, fileStart } from './file-position.ts';
import { type FileReading, readFromPosition, readFromStart, readRecords } from './file-reading.ts';
import { matchesFingerprint, noFingerprint } from './fingerprint.ts';
import type { DecoderProblem, LogRecord } from './formats/decoder.ts';
import { addRecord } from './record-history.ts';
import { type RewrittenContent, scanRewritten } from './scan-rewritten.ts';

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

/** What is known of a file that is followed. */
interface FollowedFile extends Pick<FollowOptions, 'path' | 'format' | 'clock'> {
  handle: FileHandle | undefined;
  version: FileVersion | undefined;
  times: FileTimes | undefined;
  /** Undefined until the position is found in the content. */
  reading: FileReading | undefined;
  /** Decoded records that were not returned yet. */
  decoded: LogRecord[];
  /** The position after the last record that was returned. */
  position: FilePosition;
  lastPosition: FilePosition;
  /** Since when the content differs from what was read; undefined while it does not. */
  rewrite: { readonly sinceMs: number; changedMs: number } | undefined;
  isOther: false | 'rotated' | 'replaced';
  isRotated: boolean;
}

/** A rewrite is complete if the file has not changed for this long. */
const settledAfterMs = 10_000;
/** The longest rewrite. After it, the file is read as new content. */
const longestRewriteMs = 30_000;

export function createFileFollower({ from = fileStart, ...options }: FollowOptions): FileFollower {
  const file: FollowedFile = {
    ...options,
    handle: undefined,
    version: undefined,
    times: undefined,
    reading: undefined,
    decoded: [],
    position: from,
    lastPosition: from,
    rewrite: undefined,
    isOther: false,
    isRotated: false,
  };
  return {
    read: (limit) =>
      readPath(file, limit).catch((error: NodeJS.ErrnoException) => describeReadError(file.path, error)),
    get times() {
      return file.times;
    },
    get lastPosition() {
      return file.lastPosition;
    },
    async close() {
      await file.handle?.close().catch(() => undefined);
      file.handle = undefined;
    },
  };
}

/** Reads the open file. If it is no longer at the path and has no more records, opens and reads the one at the path. */
async function readPath(file: FollowedFile, limit: number): Promise<FollowResult> {
  const { path, handle, version } = file;
  const found = await stat(path, { bigint: true }).catch((error) => error as NodeJS.ErrnoException);
  if (handle !== undefined) {
    const isSame = !(found instanceof Error) && version?.inode === found.ino && version.device === found.dev;
    const result = await readHandle(file, handle, limit);
    const hasRest = result.status === 'ok' && (result.records.length > 0 || result.more);
    if (isSame || hasRest) return result;
    await closeMoved(file, handle);
  }
  if (found instanceof Error) return describeReadError(path, found);
  if (!found.isFile()) return { status: 'not_a_file', reason: `${path} is ${kindOf(found)}` };
  const opened = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  file.handle = opened;
  file.version = undefined;
  return readHandle(file, opened, limit);
}

/** Closes a file that was renamed or removed. */
async function closeMoved(file: FollowedFile, handle: FileHandle): Promise<void> {
  file.isRotated = (await handle.stat()).nlink > 0;
  await handle.close();
  file.handle = undefined;
}

async function readHandle(file: FollowedFile, handle: FileHandle, limit: number): Promise<FollowResult> {
  const stats = await handle.stat({ bigint: true });
  const version = versionOf(stats);
  const modifiedMs = Number(stats.mtimeNs / 1_000_000n);
  // 0 if the file system does not keep it.
  const createdMs = Number(stats.birthtimeMs) || modifiedMs;
  file.times = { createdMs: Math.min(createdMs, modifiedMs), modifiedMs };
  if (file.decoded.length < limit) await decodeMore(file, handle, version, limit);
  file.version = version;
  return takeRecords(file, limit);
}

async function decodeMore(
  file: FollowedFile,
  handle: FileHandle,
  version: FileVersion,
  limit: number,
): Promise<void> {
  const isUnchanged = isVersion(file, version) && file.rewrite === undefined;
  if (isUnchanged && file.reading !== undefined && !hasUnread(file.reading, version)) {
    file.decoded.push(...file.reading.decoder.finish());
    return;
  }
  if (!(await isReadable(file, handle)) && !(await recover(file, handle, version))) return;
  if (file.reading === undefined) return;
  const read = await readRecords(handle, file.reading, limit - file.decoded.length);
  if (read === undefined) await recover(file, handle, version);
  else file.decoded.push(...read.records);
}

/** Whether the content up to the position is what was read. */
async function isReadable(file: FollowedFile, handle: FileHandle): Promise<boolean> {
  if (file.reading === undefined && file.rewrite === undefined)
    file.reading = await readFromPosition(handle, file.format, file.position);
  return file.reading !== undefined && matchesFingerprint(handle, file.reading.fingerprint);
}

/** Finds the position in content that has changed. Returns whether reading can continue. */
async function recover(file: FollowedFile, handle: FileHandle, version: FileVersion): Promise<boolean> {
  const isOver = isRewriteOver(file, version);
  file.reading = undefined;
  file.decoded = [];
  const isFirst = file.position.history.count === 0;
  const content: RewrittenContent =
    isFirst || (isOver && version.size > 0n)
      ? { status: 'other' }
      : await scanRewritten(handle, file.format, file.position.history);
  if (content.status === 'incomplete') return false;
  if (content.status === 'other') await startOver(file);
  else {
    file.reading = content.reading;
    file.decoded = content.next;
  }
  file.rewrite = undefined;
  return true;
}

/** Whether a rewrite, which may begin now, is complete or took too long. */
function isRewriteOver(file: FollowedFile, version: FileVersion): boolean {
  const nowMs = file.clock().monotonicMs;
  file.rewrite ??= { sinceMs: nowMs, changedMs: nowMs };
  if (!isVersion(file, version)) file.rewrite.changedMs = nowMs;
  const { sinceMs, changedMs } = file.rewrite;
  return nowMs - changedMs >= settledAfterMs || nowMs - sinceMs >= longestRewriteMs;
}

/** Reads new content from its start. */
async function startOver(file: FollowedFile): Promise<void> {
  file.reading = await readFromStart(file.format);
  file.position = fileStart;
  file.isOther = file.isRotated ? 'rotated' : 'replaced';
  file.isRotated = false;
}

function takeRecords(file: FollowedFile, limit: number): FollowResult {
  const { reading, version, isOther } = file;
  const records = file.decoded.splice(0, limit);
  const problems = reading?.decoder.takeProblems() ?? [];
  const isMoreInFile = reading !== undefined && version !== undefined && hasUnread(reading, version);
  for (const record of records) {
    file.lastPosition = file.position;
    file.position = positionAfter(file, record);
  }
  if (records.length > 0) file.isOther = false;
  return { status: 'ok', records, more: file.decoded.length > 0 || isMoreInFile, isOther, problems };
}

const positionAfter = ({ position, reading }: FollowedFile, record: LogRecord): FilePosition => ({
  offset: record.end,
  columns: reading?.decoder.columns,
  fingerprint: reading?.fingerprint ?? noFingerprint,
  history: addRecord(position.history, record),
});

const isVersion = ({ version }: FollowedFile, other: FileVersion) =>
  version !== undefined && sameVersion(version, other);

const hasUnread = ({ fingerprint }: FileReading, { size }: FileVersion) => BigInt(fingerprint.end) < size;
