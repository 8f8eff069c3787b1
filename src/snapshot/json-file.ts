import type { BigIntStats } from 'node:fs';
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Clock, Moment } from '../common/clock.ts';
import { pause } from '../common/timing.ts';
import { createFileAge } from './file-age.ts';
import { describeReadError, kindOf, type ReadFailure } from './read-errors.ts';
import type { SnapshotParser } from './snapshot.ts';
import type { Ages, PollOutcome, SnapshotSource } from './source.ts';

export interface JsonFileOptions {
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
export function createJsonFile({ path, clock, parse }: JsonFileOptions): SnapshotSource {
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
        if (parsed.status !== 'ok') return parsed;
        lastParsed = read.bytes;
        return { status: 'ok', snapshots: [{ snapshot: parsed.snapshot }] };
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
    content: 'state',
    async poll() {
      let outcome = await readOnce();
      if (mayBeHalfWritten(outcome)) {
        await pause(rereadAfterMs);
        outcome = await readOnce();
      }
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

/** Identifies a write of the file without reading it. Two writes within one step of the file system's clock may be equal. */
export interface FileVersion {
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: bigint;
  readonly modifiedNs: bigint;
  readonly changedNs: bigint;
}

export type ReadOutcome =
  | { readonly status: 'ok'; readonly bytes: Buffer; readonly version: FileVersion }
  | { readonly status: 'unchanged' }
  /** The file was written while it was read, so the bytes may be of two versions. */
  | { readonly status: 'torn' }
  | { readonly status: 'empty'; readonly version: FileVersion }
  | { readonly status: 'too_large'; readonly reason: string; readonly version: FileVersion }
  | { readonly status: 'not_a_file'; readonly reason: string }
  | ReadFailure;

/** Far above any real file of this kind: a thousand extra metrics take about 50 kB. */
export const maxFileBytes = 1_048_576;

/** A writer that does not replace the file by rename needs far less to finish a write. */
export const rereadAfterMs = 50;

/** Whether a file is read a second time, because its writer may not be done. */
export const mayBeHalfWritten = ({ status }: { readonly status: string }): boolean =>
  status === 'malformed' || status === 'empty';

/**
 * Reads the file once, unless it is still the given version. Reads at most `maxFileBytes`. Does not open a FIFO, because
 * that would wait for a writer. Never throws.
 */
export async function readMetricsFile(path: string, known?: FileVersion): Promise<ReadOutcome> {
  let handle: FileHandle | undefined;
  try {
    const found = await stat(path, { bigint: true });
    if (known !== undefined && sameVersion(versionOf(found), known)) return { status: 'unchanged' };
    const unreadable = reasonNotToRead(path, found);
    if (unreadable) return unreadable;
    // Without blocking, in case a FIFO has replaced the file since stat().
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readOpened(path, handle, found);
  } catch (error) {
    return await describeReadError(path, error as NodeJS.ErrnoException);
  } finally {
    await handle?.close().catch(() => undefined);
  }
}

/**
 * Reads as many bytes as the file had, and checks afterwards whether it was that file and did not change. A call of
 * fstat() before would be one more turn of a thread, a sixth of the reading. If the file was replaced or written since
 * stat(), reads the one that is open again.
 */
async function readOpened(path: string, handle: FileHandle, found: BigIntStats): Promise<ReadOutcome> {
  let before = found;
  for (let attempt = 1; attempt <= 2; attempt++) {
    const bytes = await readBytes(handle, Number(before.size));
    const after = await handle.stat({ bigint: true });
    const unreadable = reasonNotToRead(path, after);
    if (unreadable) return unreadable;
    if (isSameContent(before, after) && bytes.length === Number(before.size)) {
      const version = versionOf(before);
      return bytes.length === 0 ? { status: 'empty', version } : { status: 'ok', bytes, version };
    }
    before = after;
  }
  return { status: 'torn' };
}

/** Shorter than `size` if the file is. */
async function readBytes(handle: FileHandle, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await handle.read(bytes, length, size - length, length);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

function reasonNotToRead(path: string, stats: BigIntStats): ReadOutcome | undefined {
  if (!stats.isFile())
    return { status: 'not_a_file', reason: `${path} is ${kindOf(stats)}, not a regular file` };
  if (stats.size <= maxFileBytes) return undefined;
  const reason = `${path} has ${stats.size} bytes, at most ${maxFileBytes} are read`;
  return { status: 'too_large', reason, version: versionOf(stats) };
}

/** ctime is not compared: a rename over the file changes it, and does not change the bytes that are read. */
const isSameContent = (a: BigIntStats, b: BigIntStats) =>
  a.mtimeNs === b.mtimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;

/** The version of the file that is there now; undefined if there is none, or it may not be read. Never throws. */
export async function statMetricsFile(path: string): Promise<FileVersion | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? versionOf(stats) : undefined;
  } catch {
    return undefined;
  }
}

export function versionOf(stats: BigIntStats): FileVersion {
  return {
    device: stats.dev,
    inode: stats.ino,
    size: stats.size,
    modifiedNs: stats.mtimeNs,
    changedNs: stats.ctimeNs,
  };
}

export function sameVersion(a: FileVersion, b: FileVersion): boolean {
  return (
    a.modifiedNs === b.modifiedNs &&
    a.inode === b.inode &&
    a.size === b.size &&
    a.changedNs === b.changedNs &&
    a.device === b.device
  );
}
