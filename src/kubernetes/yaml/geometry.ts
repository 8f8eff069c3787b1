import { isCollection, isPair, isScalar, type Pair } from 'yaml';

/** Half-open range of offsets in a text. */
export interface TextRange {
  readonly start: number;
  readonly end: number;
}

interface RangedNode {
  readonly range?: readonly [start: number, valueEnd: number, nodeEnd: number] | null | undefined;
}

export const startOf = (node: unknown): number => (node as RangedNode).range?.[0] ?? 0;
const valueEndOf = (node: unknown): number => (node as RangedNode).range?.[1] ?? 0;

/** The text of a node without the comments after it. */
export const valueRange = (node: unknown): TextRange => ({ start: startOf(node), end: valueEndOf(node) });

/** The start of the line of an offset; a byte order mark stands before the first line. */
export function lineStart(text: string, offset: number): number {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  return start === 0 && text.startsWith('\uFEFF') ? 1 : start;
}

/** The start of the next line. An offset at the start of a line counts as the end of the previous line. */
export function nextLine(text: string, offset: number): number {
  if (text[offset - 1] === '\n') return offset;
  const lineFeed = text.indexOf('\n', offset);
  return lineFeed < 0 ? text.length : lineFeed + 1;
}

export const columnOf = (text: string, offset: number): number => offset - lineStart(text, offset);

/** The text of the line before an offset. */
export const lineBefore = (text: string, offset: number): string =>
  text.slice(lineStart(text, offset), offset);

/** The offset after a key's colon. */
export const colonEnd = (text: string, { key }: Pair): number => text.indexOf(':', valueEndOf(key)) + 1;

/** An absent value has no text. The parser reports its position after the comments that follow. */
export const isAbsent = (value: unknown): boolean =>
  value === null || (isScalar(value) && value.value === null && (value.source ?? '') === '');

/** Where the text of a node, list item or pair ends, without the comments behind it. */
export function contentEnd(text: string, node: unknown): number {
  if (isPair(node)) {
    if (!isAbsent(node.value)) return contentEnd(text, node.value);
    const colon = colonEnd(text, node);
    return colon > 0 ? colon : valueEndOf(node.key);
  }
  if (isCollection(node) && !node.flow && node.items.length > 0) return contentEnd(text, node.items.at(-1));
  return valueEndOf(node);
}

/** The text of a pair or list item of a flow collection. */
export const flowSpan = (text: string, item: unknown): TextRange => ({
  start: startOf(isPair(item) ? item.key : item),
  end: contentEnd(text, item),
});

/** The lines of a pair or list item of a block collection. */
export function blockLines(text: string, item: unknown): TextRange {
  const first = isPair(item) ? startOf(item.key) : dashOf(text, startOf(item));
  return { start: lineStart(text, first), end: nextLine(text, contentEnd(text, item)) };
}

/** The dash of a list item. */
const dashOf = (text: string, itemStart: number): number => text.lastIndexOf('-', itemStart - 1);
