import { crc32 } from 'node:zlib';
import type { LogRecord } from './formats/decoder.ts';

/** What is kept of the records that were given, to find the place in a file that was written anew. Its size is bounded. */
export interface RecordHistory {
  readonly count: number;
  /** Hashes of the first records. Empty if the file was not read from its start. */
  readonly first: readonly number[];
  /** Hashes of the last records, the latest at the end. */
  readonly last: readonly number[];
}

const maxFirst = 64;
const maxLast = 8;

export const noHistory: RecordHistory = { count: 0, first: [], last: [] };

/** Of a file that was not read from its start. */
export const uncountedHistory: RecordHistory = { count: maxFirst, first: [], last: [] };

export function addRecord({ count, first, last }: RecordHistory, record: LogRecord): RecordHistory {
  const hash = hashOf(record);
  return {
    count: count + 1,
    first: first.length === count && count < maxFirst ? [...first, hash] : first,
    last: [...last.slice(1 - maxLast), hash],
  };
}

/**
 * `addRecord` for a record that is compared with a history: hashes only what the comparison needs, because a file that was
 * written anew may have a million records.
 */
export function addCompared(given: RecordHistory, seen: RecordHistory, record: LogRecord): RecordHistory {
  const isBetween = seen.count >= maxFirst && seen.count < given.count - maxLast;
  return isCounted(given) && isBetween ? { ...seen, count: seen.count + 1 } : addRecord(seen, record);
}

/**
 * What the records of a file that was written anew say about it. `behind`: so far they are records that were given
 * before. `same`: this was the last one that was given, the next is new. `other`: the file has other content.
 */
export function compareHistory(given: RecordHistory, seen: RecordHistory): 'behind' | 'same' | 'other' {
  const differs = seen.first.some((hash, index) => (given.first[index] ?? hash) !== hash);
  if (differs) return 'other';
  const last = seen.last.slice(-given.last.length);
  if (last.length === given.last.length && last.every((hash, index) => hash === given.last[index]))
    return isCounted(given) && seen.count < given.count ? 'behind' : 'same';
  return isCounted(given) && seen.count >= given.count ? 'other' : 'behind';
}

const isCounted = ({ count, first }: RecordHistory) => count === 0 || first.length > 0;

/** A column that is added leaves cells empty in the rows before it, and may change the order. Neither changes the hash. */
function hashOf({ fields }: LogRecord): number {
  const present = Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined);
  return crc32(JSON.stringify(present.sort(([a], [b]) => (a < b ? -1 : 1))));
}
