/** A position in a text, and its line. */
export interface Excerpt {
  /** Both count from 1; columns in characters. */
  readonly line: number;
  readonly column: number;
  /** The line, or the part of it around the position, with control characters replaced. */
  readonly text: string;
  /** Column of the position in `text`, from 0. */
  readonly caret: number;
}

const before = 36;
const after = 30;

/** The position of a UTF-16 offset. */
export function excerptAt(text: string, offset: number): Excerpt {
  const start = Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1)) + 1;
  const length = text.slice(offset).search(/[\r\n]/);
  const end = length === -1 ? text.length : offset + length;
  const head = [...text.slice(start, offset)];
  const tail = [...text.slice(offset, end)];
  const cutHead = head.length > before;
  const shownHead = cutHead ? ['…', ...head.slice(1 - before)] : head;
  const shownTail = tail.length > after ? [...tail.slice(0, after), '…'] : tail;
  return {
    line: text.slice(0, start).split(/\r\n|\r|\n/).length,
    column: head.length + 1,
    text: [...shownHead, ...shownTail].map(visible).join(''),
    caret: shownHead.length,
  };
}

const visible = (character: string) =>
  character === '\t' ? ' ' : /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(character) ? '\uFFFD' : character;
