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
  /** From 0 to 1. */
  readonly share: number | null;
  /** Place and progress in words. */
  readonly place: string;
  readonly numbers: readonly PageNumber[];
  readonly events: readonly { readonly time: string; readonly tone: string; readonly text: string }[];
  /** Changes whenever a curve has. */
  readonly version: string;
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
