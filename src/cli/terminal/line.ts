export type Tone = 'strong' | 'faint' | 'curve' | 'companion' | 'good' | 'bad' | 'warning';

/** A piece of text in one tone; plain text has none. */
export type Span = string | { readonly tone: Tone; readonly text: string };

/** One row of a screen. Colours are kept apart from the text, so that its width can be measured. */
export type Line = readonly Span[];

export const span = (tone: Tone, text: string): Span => ({ tone, text });

export const textOf = (piece: Span): string => (typeof piece === 'string' ? piece : piece.text);

export const plainText = (line: Line): string => line.map(textOf).join('');

// East Asian characters and emoji, which names of jobs may contain, take two columns each.
const wideCharacter = /[\u1100-\u115f\u2e80-\uffdc\u{1f300}-\u{3fffd}\p{Emoji_Presentation}]/u;
const charWidth = (character: string) => (wideCharacter.test(character) ? 2 : 1);

/** In columns of the terminal; never less than what is drawn, so that the terminal does not wrap the line. */
export const widthOf = (line: Line): number =>
  [...plainText(line)].reduce((width, character) => width + charWidth(character), 0);

/** Cuts a line to a number of columns; a cut line ends in an ellipsis. */
export function clip(line: Line, columns: number): Line {
  if (widthOf(line) <= columns) return line;
  let room = columns - 1;
  const fits = (character: string) => {
    room -= charWidth(character);
    return room >= 0;
  };
  const cut = line.map((piece) => {
    const text = [...textOf(piece)].filter(fits).join('');
    return typeof piece === 'string' ? text : { ...piece, text };
  });
  return [...cut, '…'];
}

/** Puts texts at the two ends of a row; the right one is left out if there is no room for both. */
export function spread(left: Line, right: Line, columns: number): Line {
  const gap = columns - widthOf(left) - widthOf(right);
  return gap < 2 ? left : [...left, ' '.repeat(gap), ...right];
}
