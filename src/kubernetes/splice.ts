import { LineCounter, parseDocument, visit } from 'yaml';

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
      result.push(
        (isSame ? original.text : ' '.repeat(indentOf(original.text)) + editedLine.trimStart()) + end,
      );
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

const looksLike = (a: string, b: string) => a.replace(/\s+/g, '') === b.replace(/\s+/g, '');

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

interface Step {
  readonly kind: 'keep' | 'delete' | 'insert';
  readonly before: number;
  readonly after: number;
}

const largestTable = 2 ** 24;

/** A key whose empty value is filled, or the other way round, is still the same line. */
const withoutEmpty = (line: string) => line.replace(/: (?:null|Null|NULL|~|\[\]|\{\})$/, ':');

/** The shortest way from one list of lines to another: https://en.wikipedia.org/wiki/Longest_common_subsequence */
function difference(before: readonly string[], after: readonly string[]): readonly Step[] | undefined {
  const a = before.map(withoutEmpty);
  const b = after.map(withoutEmpty);
  let head = 0;
  while (head < a.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < Math.min(a.length, b.length) - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++;
  const rows = a.length - head - tail;
  const columns = b.length - head - tail;
  if (rows * columns > largestTable) return undefined;

  const steps: Step[] = [];
  for (let at = 0; at < head; at++) steps.push({ kind: 'keep', before: at, after: at });
  const longest = commonLengths(a.slice(head, head + rows), b.slice(head, head + columns));
  let row = 0;
  let column = 0;
  while (row < rows || column < columns) {
    const at = { before: head + row, after: head + column };
    const isKept = row < rows && column < columns && a[at.before] === b[at.after];
    const kind = isKept
      ? 'keep'
      : row < rows && longest(row + 1, column) >= longest(row, column + 1)
        ? 'delete'
        : 'insert';
    steps.push({ kind, ...at });
    if (kind !== 'insert') row++;
    if (kind !== 'delete') column++;
  }
  for (let left = tail; left > 0; left--)
    steps.push({ kind: 'keep', before: a.length - left, after: b.length - left });
  return steps;
}

/** How many lines two lists have in common from a place in each on; less than none beyond their ends. */
function commonLengths(a: readonly string[], b: readonly string[]): (row: number, column: number) => number {
  const width = b.length + 1;
  const lengths = new Int32Array((a.length + 1) * width);
  const at = (row: number, column: number) =>
    row > a.length || column > b.length ? -1 : (lengths[row * width + column] ?? 0);
  for (let row = a.length - 1; row >= 0; row--)
    for (let column = b.length - 1; column >= 0; column--)
      lengths[row * width + column] =
        a[row] === b[column]
          ? 1 + at(row + 1, column + 1)
          : Math.max(at(row + 1, column), at(row, column + 1));
  return at;
}
