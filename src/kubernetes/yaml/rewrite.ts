import { type Document, isCollection, type Pair, type YAMLMap, type YAMLSeq } from 'yaml';
import {
  appendItem,
  type EditedText,
  emptyValue,
  fillValue,
  insertPair,
  removeItems,
  replaceScalar,
} from './collection-edits.ts';
import { startOf } from './geometry.ts';
import { ManifestProblem } from './problem.ts';
import { blockStyleOf } from './style.ts';
import { lineBreakOf, type TextEdit } from './text-edit.ts';
import {
  type DocumentValues,
  isEmpty,
  isList,
  isManifestMap,
  isVerbatim,
  keyText,
  type ManifestMap,
  type ManifestValue,
} from './values.ts';

interface Rewriting extends EditedText {
  readonly nodeOf: DocumentValues['nodeOf'];
  readonly isShared: DocumentValues['isShared'];
}

/**
 * The edits that change a document's text from one value to another. Parts that are the same object in both are skipped,
 * so their text is kept.
 *
 * @throws ManifestProblem if the text cannot be edited in place
 */
export function rewrite(
  text: string,
  document: Document.Parsed,
  { root, nodeOf, isShared }: DocumentValues,
  after: ManifestValue,
): readonly TextEdit[] {
  const blockStyle = blockStyleOf(text, document, lineBreakOf(text));
  return compare({ text, document, blockStyle, nodeOf, isShared }, root, after);
}

function compare(rewriting: Rewriting, before: ManifestValue, now: ManifestValue): readonly TextEdit[] {
  if (before === now) return [];
  if (isManifestMap(before) && isManifestMap(now)) return compareMaps(rewriting, before, now);
  if (isList(before) && isList(now)) return compareLists(rewriting, before, now);
  throw new Error('an edit replaces a value by one of another type');
}

function compareMaps(rewriting: Rewriting, before: ManifestMap, now: ManifestMap): readonly TextEdit[] {
  const map = editableNode(rewriting, before) as YAMLMap;
  const pairs = new Map(map.items.map((pair) => [keyText(pair.key), pair]));
  const ownPair = (key: string) => {
    const pair = pairs.get(key);
    if (pair) return pair;
    throw new ManifestProblem(`${key} comes from a merge key, and ${shared}`, startOf(map));
  };
  const removed = keysOf(before).filter((key) => now[key] === undefined);
  const keys = keysOf(now);
  return [
    ...removeItems(rewriting, map, new Set(removed.map(ownPair))),
    ...keys.flatMap((key, index) => {
      if (before[key] === now[key]) return [];
      if (before[key] !== undefined)
        return compareValues(rewriting, map, ownPair(key), before[key], now[key]);
      const next = keys.slice(index + 1).find((it) => pairs.has(it));
      return insertPair(rewriting, map, key, now[key], next === undefined ? undefined : pairs.get(next));
    }),
  ];
}

const keysOf = (map: ManifestMap) => Object.keys(map).filter((key) => map[key] !== undefined);

function compareValues(
  rewriting: Rewriting,
  map: YAMLMap,
  pair: Pair,
  before: ManifestValue,
  now: ManifestValue,
): readonly TextEdit[] {
  if (isVerbatim(now)) return emptyValue(rewriting, pair, now);
  if (isEmpty(before) && (isList(now) || isManifestMap(now))) return fillValue(rewriting, map, pair, now);
  if (typeof before !== 'object' || before === null) return replaceScalar(rewriting, pair, now);
  if (isCollection(pair.value)) return compare(rewriting, before, now);
  throw new ManifestProblem(`${keyText(pair.key)} is an alias, and ${shared}`, startOf(pair.value));
}

function compareLists(
  rewriting: Rewriting,
  before: readonly ManifestValue[],
  now: readonly ManifestValue[],
): readonly TextEdit[] {
  const list = editableNode(rewriting, before) as YAMLSeq;
  const { changed, removed, added } = compareItems(before, now);
  return [
    ...removeItems(rewriting, list, new Set(removed.map((index) => list.items[index]))),
    ...changed.flatMap(([index, item]) => {
      if (isCollection(list.items[index])) return compare(rewriting, before[index], item);
      throw new ManifestProblem(`the list item is an alias, and ${shared}`, startOf(list.items[index]));
    }),
    ...added.flatMap((item) => appendItem(rewriting, list, item)),
  ];
}

interface ItemChanges {
  readonly changed: readonly (readonly [index: number, item: ManifestValue])[];
  /** Indices of the list as it was. */
  readonly removed: readonly number[];
  readonly added: readonly ManifestValue[];
}

/** Items are added at the end only. If the list has become shorter, items are matched by name. */
function compareItems(before: readonly ManifestValue[], now: readonly ManifestValue[]): ItemChanges {
  const changed: (readonly [number, ManifestValue])[] = [];
  const removed: number[] = [];
  const isShorter = before.length > now.length;
  let at = 0;
  for (const [index, item] of before.entries()) {
    if (at < now.length && now[at] === item) at++;
    else if (at < now.length && (!isShorter || nameOf(now[at]) === nameOf(item)))
      changed.push([index, now[at++]]);
    else removed.push(index);
  }
  return { changed, removed, added: now.slice(at) };
}

const nameOf = (value: ManifestValue) => (isManifestMap(value) ? value.name : undefined);

function editableNode({ nodeOf, isShared }: Rewriting, value: object): YAMLMap | YAMLSeq {
  const node = nodeOf(value);
  if (node === undefined) throw new Error('a value that is edited was not read from the text');
  if (!isShared(value)) return node;
  throw new ManifestProblem(`the anchor &${node.anchor} is used elsewhere, and ${shared}`, startOf(node));
}

const shared = 'what is added to one place would be added to all: write it out first';
