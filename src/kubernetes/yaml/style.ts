import {
  type Document,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Pair,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { colonEnd, columnOf, lineBefore, startOf } from './geometry.ts';
import type { BlockStyle, FlowStyle } from './render.ts';

/** The indentation of a document, from its first nested map and its first list. */
export function blockStyleOf(text: string, document: Document.Parsed, lineBreak: string): BlockStyle {
  let step: number | undefined;
  let isListIndented: boolean | undefined;
  visit(document, {
    Pair(_key, { key, value }) {
      if (!isCollection(value) || value.flow || value.items.length === 0) return undefined;
      const deeper = columnOf(text, startOf(value)) - columnOf(text, startOf(key));
      if (isMap(value)) step ??= deeper;
      else isListIndented ??= deeper > 0;
      return step !== undefined && isListIndented !== undefined ? visit.BREAK : undefined;
    },
  });
  return { step: Math.max(1, step ?? 2), isListIndented: isListIndented ?? true, lineBreak };
}

/** A new list is indented like the other lists of its map. */
export function listStyleNear(text: string, near: YAMLMap | YAMLSeq, style: BlockStyle): BlockStyle {
  if (!isMap(near)) return style;
  const sibling = near.items.find(({ value }) => isSeq(value) && !value.flow && value.items.length > 0);
  if (sibling === undefined) return style;
  return {
    ...style,
    isListIndented: columnOf(text, startOf(sibling.value)) > columnOf(text, startOf(sibling.key)),
  };
}

export function flowStyleOf(
  text: string,
  document: Document.Parsed,
  collection: YAMLMap | YAMLSeq,
  lineBreak: string,
): FlowStyle {
  const isJson = jsonPair(document) !== undefined;
  return {
    isJson,
    gap: documentGap(text, document),
    padding: !isJson && /^\{\s/.test(text.slice(startOf(collection))) ? ' ' : '',
    lines: flowLines(text, collection, lineBreak),
  };
}

/** The space between a colon and its value: none in compact JSON. */
export function documentGap(text: string, document: Document.Parsed): string {
  const pair = jsonPair(document);
  return pair === undefined || /\s/.test(text[colonEnd(text, pair)] ?? ' ') ? ' ' : '';
}

/** The first pair of a document in JSON. */
function jsonPair(document: Document.Parsed): Pair | undefined {
  const root = document.contents as unknown;
  const pair = isMap(root) && root.flow ? root.items[0] : undefined;
  return pair && isScalar(pair.key) && pair.key.type === 'QUOTE_DOUBLE' ? pair : undefined;
}

function flowLines(text: string, collection: YAMLMap | YAMLSeq, lineBreak: string): FlowStyle['lines'] {
  const first: unknown = collection.items[0];
  if (first === undefined) return undefined;
  const start = startOf(isPair(first) ? first.key : first);
  const opening = startOf(collection);
  const indent = lineBefore(text, start);
  if (indent.trim() !== '' || !text.slice(opening, start).includes('\n')) return undefined;
  const outer = /^[ \t]*/.exec(lineBefore(text, opening))?.[0] ?? '';
  const step = indent.startsWith(outer) ? indent.slice(outer.length) : '';
  return { indent, step: step === '' ? '  ' : step, lineBreak };
}
