import { LineCounter, parseDocument, visit } from 'yaml';
import { commentOf, difference, withoutComment } from './difference.ts';

/**
 * Makes in a text the edits that lead from one printed form of it to another, and leaves every other line as it is:
 * printing YAML keeps its meaning, but not all of its looks, and a comment may land in what is taken out later.
 *
 * @param printed the document as it is printed before the edits
 * @param edited the document as it is printed after them
 * @returns undefined where the text is written too differently from its printed form
 */
export function splice(source: string, printed: string, edited: string): string | undefined {
  const lines = source.split('\n');
  const code = codeLines(source);
  const before = codeLines(printed).map(({ text }) => text);
  const after = codeLines(edited).map(({ text }) => text);
  if (code.length !== before.length || code.some(({ text }, i) => !looksLike(text, before[i] ?? '')))
    return undefined;
  const steps = difference(before, after);
  if (steps === undefined) return undefined;
  const end = source.includes('\r\n') ? '\r' : '';
  const result: string[] = [];
  const columns: Column[] = [];
  let taken = 0;
  // Comments and blank lines stay before the line they were before; what is new comes ahead of them.
  const takeUpTo = (line: number) => {
    result.push(...lines.slice(taken, line));
    taken = line;
  };
  for (const step of steps) {
    const printedLine = before[step.before] ?? '';
    const editedLine = after[step.after] ?? '';
    const original = code[step.before];
    if (step.kind === 'insert') {
      const line = ' '.repeat(sourceColumn(columns, indentOf(editedLine))) + editedLine.trimStart();
      columns.push(...columnsOf(editedLine, line));
      result.push(line + end);
    } else if (original) {
      takeUpTo(original.line);
      taken += 1;
      if (step.kind === 'delete') continue;
      columns.push(...columnsOf(printedLine, original.text));
      const isSame = printedLine === editedLine;
      result.push((isSame ? original.text : withIndentAndComment(original.text, editedLine)) + end);
    }
  }
  takeUpTo(lines.length);
  return result.join('\n');
}

/** Where a column of the printed form is in the text: people indent by 2 or 4, and lists more or less than their key. */
interface Column {
  readonly printed: number;
  readonly source: number;
}

const indentOf = (line: string) => /^ */.exec(line)?.[0].length ?? 0;
const itemOf = (line: string) => /^ *(?:- +)*/.exec(line)?.[0].length ?? 0;

/** A line with a dash has two: that of the dash and that of what it holds. */
function columnsOf(printed: string, source: string): readonly Column[] {
  if (printed.trim() === '') return [];
  return [
    { printed: indentOf(printed), source: indentOf(source) },
    { printed: itemOf(printed), source: itemOf(source) },
  ];
}

function sourceColumn(columns: readonly Column[], printed: number): number {
  const near = columns.findLast((column) => column.printed <= printed);
  return near === undefined ? printed : near.source + (printed - near.printed);
}

const looksLike = (a: string, b: string) => bare(a) === bare(b);
const bare = (line: string) => withoutComment(line).replace(/\s+/g, '');

const withIndentAndComment = (original: string, edited: string) =>
  ' '.repeat(indentOf(original)) + withoutComment(edited).trimStart() + commentOf(original);

interface CodeLine {
  readonly line: number;
  readonly text: string;
}

/** All lines but comments and blank ones. Within a text of several lines, nothing is a comment. */
function codeLines(text: string): readonly CodeLine[] {
  const counter = new LineCounter();
  const inText = new Set<number>();
  visit(parseDocument(text, { lineCounter: counter }), {
    Scalar(_key, node) {
      if (!node.range) return;
      const { line: first } = counter.linePos(node.range[0]);
      const { line: last } = counter.linePos(Math.max(node.range[0], node.range[1] - 1));
      for (let line = first; line < last; line++) inText.add(line);
    },
  });
  return text
    .split('\n')
    .map((it, line) => ({ line, text: it.replace(/\r$/, '') }))
    .filter((it) => inText.has(it.line) || !/^\s*(#|$)/.test(it.text));
}
