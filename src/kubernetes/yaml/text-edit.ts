import type { TextRange } from './geometry.ts';

/** Replaces a span of a text; an insertion has an empty span. */
export interface TextEdit extends TextRange {
  readonly text: string;
}

export const insertion = (at: number, text: string): TextEdit => ({ start: at, end: at, text });
export const deletion = ({ start, end }: TextRange): TextEdit => ({ start, end, text: '' });

/**
 * Applies edits to a part of a text. Edits at the same offset keep their order. If the text has no final line break, adding
 * or removing whole lines at its end does not add one.
 */
export function applyEdits(text: string, part: TextRange, edits: readonly TextEdit[]): string {
  const lineBreak = lineBreakOf(text);
  const isUnfinished = !text.endsWith('\n');
  const pieces: string[] = [];
  let at = part.start;
  for (const edit of joinDeletions(edits.toSorted(inOrder))) {
    const { start, end, text: inserted } = isUnfinished ? atEnd(text, edit, lineBreak) : edit;
    if (start < at) throw new Error(`edits overlap at ${start}`);
    pieces.push(text.slice(at, start), inserted);
    at = end;
  }
  return pieces.join('') + text.slice(at, part.end);
}

/** Insertions at the start of a deletion are applied first. */
const inOrder = (a: TextEdit, b: TextEdit) => a.start - b.start || a.end - b.end;

export const lineBreakOf = (text: string): string => /\r?\n/.exec(text)?.[0] ?? '\n';

function atEnd(text: string, edit: TextEdit, lineBreak: string): TextEdit {
  if (edit.end !== text.length) return edit;
  if (edit.text.endsWith(lineBreak) && edit.start === edit.end)
    return { ...edit, text: lineBreak + edit.text.slice(0, -lineBreak.length) };
  if (edit.text !== '' || text[edit.start - 1] !== '\n') return edit;
  return { ...edit, start: edit.start - (text[edit.start - 2] === '\r' ? 2 : 1) };
}

/** Joins deletions of adjacent lines, so that only their start decides about the line break before them. */
function joinDeletions(edits: readonly TextEdit[]): readonly TextEdit[] {
  const joined: TextEdit[] = [];
  for (const edit of edits) {
    const last = joined.at(-1);
    if (last && last.text === '' && edit.text === '' && last.end === edit.start && last.start < last.end)
      joined[joined.length - 1] = { ...last, end: edit.end };
    else joined.push(edit);
  }
  return joined;
}
