import type { Pair, YAMLMap, YAMLSeq } from 'yaml';
import { flowSpan } from './geometry.ts';
import { type FlowStyle, renderFlow, renderFlowPair } from './render.ts';
import { deletion, insertion, type TextEdit } from './text-edit.ts';
import type { ManifestValue } from './values.ts';

/** Between two items. */
const separator = ({ gap, lines }: FlowStyle) => (lines ? `,${lines.lineBreak}${lines.indent}` : `,${gap}`);

export function insertIntoFlowMap(
  text: string,
  map: YAMLMap,
  key: string,
  value: ManifestValue,
  next: Pair | undefined,
  style: FlowStyle,
): TextEdit {
  const pair = renderFlowPair(key, value, style);
  if (next !== undefined) return insertion(flowSpan(text, next).start, pair + separator(style));
  return insertion(flowSpan(text, map.items.at(-1)).end, separator(style) + pair);
}

export const appendToFlow = (text: string, list: YAMLSeq, item: ManifestValue, style: FlowStyle): TextEdit =>
  insertion(flowSpan(text, list.items.at(-1)).end, separator(style) + renderFlow(item, style));

/** Removes items with the comma after them, or before them for the last items. */
export function deleteFromFlow(
  text: string,
  { items }: YAMLMap | YAMLSeq,
  removed: ReadonlySet<unknown>,
): readonly TextEdit[] {
  const kept = items.findLastIndex((item) => !removed.has(item));
  const spans = items.map((item) => flowSpan(text, item));
  const deletions = items.flatMap((item, index) => {
    const [span, next] = [spans[index], spans[index + 1]];
    return removed.has(item) && index < kept && span && next
      ? [deletion({ start: span.start, end: next.start })]
      : [];
  });
  const [lastKept, last] = [spans[kept], spans.at(-1)];
  if (lastKept && last && kept < items.length - 1)
    deletions.push(deletion({ start: lastKept.end, end: last.end }));
  return deletions;
}
