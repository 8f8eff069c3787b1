import { isFarAhead } from '../values.ts';
import type { LogRecord } from './formats/decoder.ts';

/** What is known of the writes that brought some records. Unix milliseconds. */
export interface WriteTimes {
  /** When the file was created; that of its first record if nothing says more. */
  readonly createdMs: number;
  /** When it was last written. */
  readonly modifiedMs: number;
  /** The present time. */
  readonly nowMs: number;
  /** Whether the records were there before the file was followed, so that the last write is not theirs. */
  readonly isBacklog: boolean;
  /** Whether the last of the records is the last in the file, so that the last write is its own. */
  readonly isAtEnd: boolean;
}

/** Gives each record of a file its time. */
export interface RecordClock {
  /** In Unix milliseconds, in the order of the records. */
  timesOf(records: readonly LogRecord[], writes: WriteTimes): readonly number[];
}

/**
 * A record's own time counts, unless it is far in the future. Without one it is the time of the write; records of one
 * write stand 1 ms apart. A record that was there before has the seconds since training began, from the creation of the
 * file on, if it says them: text such as `0:00:01` is too coarse for anything else. They begin again when training is
 * resumed.
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
