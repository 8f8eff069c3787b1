import type { FileHandle } from 'node:fs/promises';
import type { LogFormat } from '../../catalogue/file-formats.ts';
import { type FileReading, readFromStart, readRecords } from './file-reading.ts';
import type { LogRecord } from './formats/decoder.ts';
import { addCompared, compareHistory, noHistory, type RecordHistory } from './record-history.ts';

/** What a rewritten file holds, compared with the records that were returned before. */
export type RewrittenContent =
  /** The same records. `next` are decoded records after the last of them. */
  | { readonly status: 'same'; readonly reading: FileReading; readonly next: LogRecord[] }
  | { readonly status: 'other' }
  /** Only a part of the records, so far. */
  | { readonly status: 'incomplete' };

const recordsOfStep = 1_000;

/** Reads a rewritten file up to the last record that was returned before. */
export async function scanRewritten(
  file: FileHandle,
  format: LogFormat,
  history: RecordHistory,
): Promise<RewrittenContent> {
  const reading = await readFromStart(format);
  let seen = noHistory;
  for (let isAtEnd = false; !isAtEnd; ) {
    const read = await readRecords(file, reading, recordsOfStep);
    if (read === undefined) break;
    isAtEnd = read.isAtEnd;
    for (const [index, record] of read.records.entries()) {
      seen = addCompared(history, seen, record);
      const comparison = compareHistory(history, seen);
      if (comparison === 'other') return { status: 'other' };
      if (comparison === 'same') return { status: 'same', reading, next: read.records.slice(index + 1) };
    }
  }
  return { status: 'incomplete' };
}
