/** What the server sends to the page. NaN and the infinities are text, because JSON has no such numbers. */
export type JsonNumber = number | 'NaN' | 'Infinity' | '-Infinity';

/** The files as they are now, sent after each change. */
export interface PageState {
  readonly files: readonly PageFile[];
}

export interface PageFile {
  readonly name: string;
  readonly path: string;
  readonly state: string;
  readonly problem: string | null;
  /** Time since the file was last written, when this was sent. */
  readonly ageMs: number | null;
  /** From 0 to 1. */
  readonly share: number | null;
  /** Steps trained. */
  readonly step: number | null;
  /** Place and progress in words. */
  readonly place: string;
  readonly numbers: readonly PageNumber[];
  /** Oldest first. */
  readonly events: readonly PageEvent[];
  /** Changes whenever a curve has. */
  readonly version: string;
}

export interface PageEvent {
  readonly unixMs: number;
  readonly tone: string;
  readonly text: string;
}

export interface PageNumber {
  readonly field: string;
  readonly value: JsonNumber;
  readonly previous: JsonNumber | null;
}

/** The curve of one number: steps, values, and those of the validation loss, if it is drawn with it. */
export interface PageCurve {
  readonly x: readonly number[];
  readonly values: readonly number[];
  readonly companions: readonly (number | null)[] | null;
}
