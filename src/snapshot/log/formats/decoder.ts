/** One complete record of a log. */
export interface LogRecord {
  /** As written: numbers, text, null. A number that is not finite may be text, such as `NaN`. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The record's own time in Unix milliseconds, if it has one. */
  readonly time?: number;
  /** Seconds since training began or was resumed, if the record says so. */
  readonly elapsed?: number;
  /** The writer began again at this step before the record: what it wrote before of this step and later ones is void. */
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

/** Records that were passed over for one reason. */
export interface DecoderProblem {
  readonly kind: DecoderProblemKind;
  /** How many since the problems were last taken; of damaged bytes, how many places. */
  readonly count: number;
  /** What is wrong with the first of them, and what to do. */
  readonly message: string;
}

/** Decodes the bytes of one log in order. However the bytes are split, the records are the same. Never throws. */
export interface RecordDecoder {
  push(bytes: Uint8Array): readonly LogRecord[];
  /**
   * The record that is complete unless more is appended to it. Call it when the file has not grown for a poll. Only event
   * files have such records: scalars of one step that were written one after another.
   */
  finish(): readonly LogRecord[];
  /** Bytes at the end that are not a complete record yet. */
  readonly pending: number;
  /** Names of the columns in force, for a decoder that continues in the middle of a CSV file. */
  readonly columns: readonly string[] | undefined;
  /** What was passed over since the last call. */
  takeProblems(): readonly DecoderProblem[];
}

export interface DecoderOptions {
  /** Offset in the file of the first byte that is pushed, which begins a record. 0 if absent. */
  readonly offset?: number;
  /** Columns of a CSV file that is not read from its start. */
  readonly columns?: readonly string[];
}

/** A longer record is passed over. */
export const maxRecordBytes = 1_048_576;
