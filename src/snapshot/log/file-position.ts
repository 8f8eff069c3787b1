import { type Fingerprint, noFingerprint } from './fingerprint.ts';
import { noHistory, type RecordHistory } from './record-history.ts';

/** Where a file is read from. The offset is the start of a record. */
export interface FilePosition {
  readonly offset: number;
  /** The columns of a CSV file that is not read from its start. */
  readonly columns?: readonly string[] | undefined;
  readonly fingerprint: Fingerprint;
  readonly history: RecordHistory;
}

export const fileStart: FilePosition = { offset: 0, fingerprint: noFingerprint, history: noHistory };
