import { isFarAhead } from '../values.ts';
import type { LogRecord } from './formats/decoder.ts';

/** What is known about the writes of some records. Times are Unix milliseconds. */
export interface WriteTimes {
  /** When the file was created. */
  readonly createdMs: number;
  /** When it was last written. */
  readonly modifiedMs: number;
  /** The present time. */
  readonly nowMs: number;
  /** Whether the records were in the file before it was followed. The time of the last write is then not theirs. */
  readonly isBacklog: boolean;
  /** Whether the last of the records is the last in the file. The time of the last write is then its time. */
  readonly isAtEnd: boolean;
}

/** Assigns a time to each record of a file. */
export interface RecordClock {
  /** In Unix milliseconds, in the order of the records. */
  timesOf(records: readonly LogRecord[], writes: WriteTimes): readonly number[];
}

/**
 * Assigns times as follows:
 * - A record that has its own time gets that time, unless it is far in the future.
 * - A new record gets the time of the write that added it. Records of one write are 1 ms apart.
 * - A record that was in the file before it was followed gets the creation time of the file, plus the seconds since
 *   training began if the record has them. These seconds start again when training is resumed. They are not used for new
 *   records, because text such as `0:00:01` is too coarse.
 * - The last record of such a file, if it has no such seconds, gets the time of the last write.
 */
export function createRecordClock(): RecordClock {
  let lastMs = Number.NEGATIVE_INFINITY;
  let session: { readonly startMs: number; lastElapsed: number } | undefined;

  function backlogTime({ elapsed }: LogRecord, { createdMs, modifiedMs }: WriteTimes): number {
    if (elapsed === undefined) return Math.min(Math.max(createdMs, lastMs + 1), modifiedMs);
    if (session === undefined || elapsed < session.lastElapsed)
      session = { startMs: Math.max(createdMs, lastMs + 1) - elapsed * 1000, lastElapsed: elapsed };
    session.lastElapsed = elapsed;
    return Math.min(session.startMs + elapsed * 1000, modifiedMs);
  }

  return {
    timesOf: (records, writes) =>
      records.map((record, index) => {
        if (record.time !== undefined && !isFarAhead(record.time, writes.nowMs)) return record.time;
        const after = records.length - 1 - index;
        const isLastWrite = after === 0 && writes.isAtEnd && record.elapsed === undefined;
        const timeMs =
          writes.isBacklog && !isLastWrite ? backlogTime(record, writes) : writes.modifiedMs - after;
        lastMs = Math.max(timeMs, lastMs + 1);
        return lastMs;
      }),
  };
}
