import { type Document, isCollection, isPair, isScalar, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import { appendToFlow, deleteFromFlow, insertIntoFlowMap } from './flow-edits.ts';
import {
  blockLines,
  colonEnd,
  columnOf,
  contentEnd,
  isAbsent,
  lineBefore,
  lineStart,
  nextLine,
  startOf,
} from './geometry.ts';
import { ManifestProblem } from './problem.ts';
import { type BlockStyle, renderBlock, renderFlow, renderScalar } from './render.ts';
import { documentGap, flowStyleOf, listStyleNear } from './style.ts';
import { deletion, insertion, type TextEdit } from './text-edit.ts';
import { isList, keyText, type ManifestValue, type Verbatim, verbatimTextOf } from './values.ts';

/** The text that is edited, and its style. */
export interface EditedText {
  readonly text: string;
  readonly document: Document.Parsed;
  readonly blockStyle: BlockStyle;
}

export function removeItems(
  { text }: EditedText,
  collection: YAMLMap | YAMLSeq,
  removed: ReadonlySet<unknown>,
): readonly TextEdit[] {
  if (removed.size === 0) return [];
  if (collection.flow) return deleteFromFlow(text, collection, removed);
  const items: readonly unknown[] = collection.items;
  return items.filter((item) => removed.has(item)).map((item) => deletion(blockLines(text, item)));
}

/** Inserts a pair before another, or at the end. */
export function insertPair(
  edited: EditedText,
  map: YAMLMap,
  key: string,
  value: ManifestValue,
  next: Pair | undefined,
): readonly TextEdit[] {
  const { text } = edited;
  if (map.flow) return [insertIntoFlowMap(text, map, key, value, next, flowStyle(edited, map))];
  const lines = renderBlock({ [key]: value }, columnOfKeys(text, map), blockStyle(edited, map));
  return [insertion(placeOfPair(edited, map, next), lines)];
}

const columnOfKeys = (text: string, map: YAMLMap) => columnOf(text, startOf(map.items[0]?.key));

/** A new pair is inserted before the comments of the next pair. */
function placeOfPair(edited: EditedText, map: YAMLMap, next: Pair | undefined): number {
  const { text } = edited;
  const index = next === undefined ? map.items.length : map.items.indexOf(next);
  if (index === 0) return beforeFirstPair(text, map);
  const place = nextLine(text, contentEnd(text, map.items[index - 1]));
  if (!extendsBlockScalar(edited, place)) return place;
  return index === 1 ? beforeFirstPair(text, map) : nextLine(text, contentEnd(text, map.items[index - 2]));
}

/** If the first pair follows the dash of a list item, the new pair is inserted after it. */
function beforeFirstPair(text: string, map: YAMLMap): number {
  const start = startOf(map.items[0]?.key);
  return lineBefore(text, start).trim() === ''
    ? lineStart(text, start)
    : nextLine(text, contentEnd(text, map.items[0]));
}

export function appendItem(edited: EditedText, list: YAMLSeq, item: ManifestValue): readonly TextEdit[] {
  const { text } = edited;
  if (list.flow) return [appendToFlow(text, list, item, flowStyle(edited, list))];
  const place = nextLine(text, contentEnd(text, list));
  if (extendsBlockScalar(edited, place))
    throw new ManifestProblem(
      'the block of text at the end of the file would gain a line break: end the file with a line break, or write |- in place of |',
      text.length,
    );
  return [insertion(place, renderBlock([item], columnOf(text, startOf(list)), blockStyle(edited, list)))];
}

/** At the end of a file without a final line break, a line break that is added would become part of the block scalar. */
const extendsBlockScalar = ({ text, document }: EditedText, place: number) =>
  place === text.length && !text.endsWith('\n') && endsInOpenBlockScalar(text, document);

function endsInOpenBlockScalar(text: string, { contents }: Document.Parsed): boolean {
  let last: unknown = contents;
  while (isCollection(last) && !last.flow && last.items.length > 0) {
    const item: unknown = last.items.at(-1);
    last = isPair(item) ? item.value : item;
  }
  if (!isBlockScalar(last)) return false;
  const [header = ''] = text.slice(startOf(last)).split('\n', 1);
  return !/^[|>]\d?-/.test(header);
}

const isBlockScalar = (node: unknown) =>
  isScalar(node) && (node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED');

/** Replaces `[]`, `{}`, null or nothing by a list or map. */
export function fillValue(
  edited: EditedText,
  map: YAMLMap,
  pair: Pair,
  value: ManifestValue,
): readonly TextEdit[] {
  const { text } = edited;
  const key = keyText(pair.key);
  const colon = colonEnd(text, pair);
  const end = isAbsent(pair.value) ? colon : contentEnd(text, pair.value);
  // The range of an absent value does not contain its anchor or tag.
  const isMarked = isAbsent(pair.value) && /^[ \t]*[!&]/.test(text.slice(colon));
  if (isMarked || !/^\s*(\[\s*\]|\{\s*\}|~|null|Null|NULL|)$/.test(text.slice(colon, end)))
    throw new ManifestProblem(
      `the empty ${key} has an anchor, a tag or a comment: write it as ${isList(value) ? '[]' : '{}'}`,
      colon,
    );
  if (map.flow) {
    const style = flowStyle(edited, map);
    return [{ start: colon, end, text: style.gap + renderFlow(value, style) }];
  }
  const style = blockStyle(edited, map);
  const lines = renderBlock({ [key]: value }, columnOfKeys(text, map), style);
  const behindKey = lines.indexOf(style.lineBreak) + style.lineBreak.length;
  return [{ start: colon, end, text: '' }, insertion(nextLine(text, end), lines.slice(behindKey))];
}

/** Replaces a list or map by an empty value in its former text. */
export function emptyValue(edited: EditedText, pair: Pair, now: Verbatim): readonly TextEdit[] {
  const { text, document } = edited;
  const { value } = pair;
  const colon = colonEnd(text, pair);
  const written = verbatimTextOf(now);
  const replacement = written === '' || /^\s/.test(written) ? written : documentGap(text, document) + written;
  if (isCollection(value) && !value.flow)
    return [insertion(colon, replacement), ...removeItems(edited, value, new Set<unknown>(value.items))];
  return [{ start: colon, end: isAbsent(value) ? colon : contentEnd(text, value), text: replacement }];
}

export function replaceScalar(
  { text, document }: EditedText,
  pair: Pair,
  now: ManifestValue,
): readonly TextEdit[] {
  const { value } = pair;
  if (isAbsent(value))
    return [insertion(colonEnd(text, pair), documentGap(text, document) + renderScalar(now))];
  if (!isScalar(value) || isBlockScalar(value))
    throw new ManifestProblem(
      `${keyText(pair.key)} cannot be replaced: write it on the line of its key`,
      startOf(pair.key),
    );
  const replacement = value.type === 'QUOTE_DOUBLE' ? JSON.stringify(now) : renderScalar(now);
  return [{ start: startOf(value), end: contentEnd(text, value), text: replacement }];
}

const flowStyle = (
  { text, document, blockStyle: { lineBreak } }: EditedText,
  collection: YAMLMap | YAMLSeq,
) => flowStyleOf(text, document, collection, lineBreak);

const blockStyle = (edited: EditedText, near: YAMLMap | YAMLSeq) =>
  listStyleNear(edited.text, near, edited.blockStyle);
