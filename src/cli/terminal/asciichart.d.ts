/** Types for the part of the package that is used here; it has none. */
declare module 'asciichart' {
  /** Draws lines of box characters, the highest value first, joined by newlines. */
  export function plot(
    series: readonly number[],
    config: {
      readonly min: number;
      readonly max: number;
      /** Rows less one. */
      readonly height: number;
      /** The axis is cell `offset - 1` of a row; a label is put whole into cell `offset - length`, at least 0. */
      readonly offset: number;
      readonly symbols: readonly string[];
      readonly format: (value: number) => string;
    },
  ): string;
}
