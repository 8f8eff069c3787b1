/** One complete record of a log. */
export interface LogRecord {
  /** Values as written: numbers, text or null. A number that is not finite may be text, such as `NaN`. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The record's own time in Unix milliseconds, if it has one. */
  readonly time?: number;
  /** Seconds since training began or was resumed, if the record says so. */
  readonly elapsed?: number;
  /** The writer restarted at this step before it wrote the record. Earlier records of this step and of later steps are void. */
  readonly sessionStep?: number;
  /** Offset of the byte after the record, from the start of the file. */
  readonly end: number;
}

export type DecoderProblemKind =
  | 'too_long'
  | 'not_text'
  | 'malformed'
  | 'no_header'
  | 'row_width'
  | 'checksum'
  | 'not_an_event';

/** Records that were skipped for one reason. */
export interface DecoderProblem {
  readonly kind: DecoderProblemKind;
  /** Skipped records since the last `takeProblems`. Damaged bytes count as one for each damaged part of the file. */
  readonly count: number;
  /** What is wrong with the first of them, and what to do. */
  readonly message: string;
}

/** Decodes the bytes of one log in order. The records do not depend on how the bytes are split. Never throws. */
export interface RecordDecoder {
  push(bytes: Uint8Array): readonly LogRecord[];
  /**
   * The last record, if the writer may still append to it. Call it when the file has not grown for a poll. Only event
   * files have such a record: it has the scalars of one step, which are written one after another.
   */
  finish(): readonly LogRecord[];
  /** Number of bytes at the end that are not a complete record yet. */
  readonly pending: number;
  /** Present names of the columns, for a decoder that continues in the middle of a CSV file. */
  readonly columns: readonly string[] | undefined;
  /** What was skipped since the last call. */
  takeProblems(): readonly DecoderProblem[];
}

export interface DecoderOptions {
  /** Offset in the file of the first byte that is pushed. A record begins there. Default: 0. */
  readonly offset?: number;
  /** Columns of a CSV file that is not read from its start. */
  readonly columns?: readonly string[];
}

/** Longer records are skipped. */
export const maxRecordBytes = 1_048_576;
