import type { FileHandle } from 'node:fs/promises';
import type { LogFormat } from '../../catalogue/file-formats.ts';
import type { FilePosition } from './file-position.ts';
import {
  extendFingerprint,
  type Fingerprint,
  fingerprintAt,
  matchesFingerprint,
  noFingerprint,
  readAt,
} from './fingerprint.ts';
import { createDecoder } from './formats/create-decoder.ts';
import type { LogRecord, RecordDecoder } from './formats/decoder.ts';

/** Decodes a file from one offset on. Bytes become part of the fingerprint only when they are confirmed. */
export interface FileReading {
  readonly decoder: RecordDecoder;
  fingerprint: Fingerprint;
}

export interface ReadRecords {
  readonly records: readonly LogRecord[];
  readonly isAtEnd: boolean;
}

const chunkBytes = 65_536;
/** Limit of one poll, which would otherwise take seconds for a file in which all records are skipped. */
const maxBytesOfPoll = 16 * 1_048_576;

export async function readFromStart(format: LogFormat): Promise<FileReading> {
  return { decoder: await createDecoder(format), fingerprint: noFingerprint };
}

/** Undefined if the content before the position has changed. */
export async function readFromPosition(
  file: FileHandle,
  format: LogFormat,
  { offset, columns, fingerprint }: FilePosition,
): Promise<FileReading | undefined> {
  if (!(await matchesFingerprint(file, fingerprint))) return undefined;
  const decoder = await createDecoder(format, { offset, ...(columns && { columns }) });
  return { decoder, fingerprint: await fingerprintAt(file, offset) };
}

/** Reads and decodes about `limit` records; undefined if bytes that were read before have changed. */
export async function readRecords(
  file: FileHandle,
  reading: FileReading,
  limit: number,
): Promise<ReadRecords | undefined> {
  const records: LogRecord[] = [];
  let { fingerprint } = reading;
  let isAtEnd = false;
  const stopAt = fingerprint.end + maxBytesOfPoll;
  while (records.length < limit && fingerprint.end < stopAt && !isAtEnd) {
    const bytes = await readAt(file, fingerprint.end, chunkBytes);
    isAtEnd = bytes.length < chunkBytes;
    fingerprint = extendFingerprint(fingerprint, bytes);
    records.push(...reading.decoder.push(bytes));
  }
  // If a writer replaced the content during the read, these bytes are of two versions.
  if (!(await matchesFingerprint(file, fingerprint))) return undefined;
  reading.fingerprint = fingerprint;
  return { records, isAtEnd };
}
