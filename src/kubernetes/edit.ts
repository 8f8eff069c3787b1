import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  Pair,
  Scalar,
  YAMLMap,
  YAMLSeq,
} from 'yaml';

/** A manifest that cannot be edited, in words for its author. */
export class ManifestProblem extends Error {}

/** Names the place of a value for a person, as in `spec.containers`. */
export type NodePosition = string;

export type Manifest = Document.Parsed | Document;

interface Collections {
  readonly map: YAMLMap;
  readonly list: YAMLSeq;
}

/** The value of a key, or undefined where it is absent or null. */
export function child(map: YAMLMap, key: string): Node | undefined {
  const value = map.get(key, true) as Node | undefined;
  return isScalar(value) && value.value === null ? undefined : value;
}

export function childMap(map: YAMLMap, key: string, place: NodePosition): YAMLMap | undefined {
  const value = child(map, key);
  if (value === undefined || isMap(value)) return value as YAMLMap | undefined;
  throw new ManifestProblem(`${place}.${key} is not a map`);
}

/** The items of a list of maps; empty where the list is absent. */
export function childItems(map: YAMLMap, key: string, place: NodePosition): readonly YAMLMap[] {
  const value = child(map, key);
  if (value === undefined) return [];
  if (!isSeq(value)) throw new ManifestProblem(`${place}.${key} is not a list`);
  return value.items.map((item, index) => {
    if (isMap(item)) return item;
    throw new ManifestProblem(`${place}.${key}[${index}] is not a map`);
  });
}

export function scalarText(map: YAMLMap, key: string): string | undefined {
  const value = map.get(key);
  return typeof value === 'string' ? value : undefined;
}

export const named = (items: readonly YAMLMap[], name: string) =>
  items.find((item) => scalarText(item, 'name') === name);

/**
 * The list or map under a key, made where it is absent. One that is there but empty is told to `note` as it was written
 * (`[]`, `{}`, `null`, nothing), because otherwise nothing would say later that it was there at all.
 */
export function ensure<K extends keyof Collections>(
  map: YAMLMap,
  key: string,
  shape: K,
  note: (written: string) => void,
  before?: string,
): Collections[K] {
  const present: unknown = map.get(key, true);
  if (shape === 'map' ? isMap(present) : isSeq(present)) {
    const collection = present as Collections[K];
    if (collection.items.length === 0) {
      note(shape === 'map' ? '{}' : '[]');
      collection.flow = map.flow === true;
    }
    return collection;
  }
  const made = (shape === 'map' ? new YAMLMap() : new YAMLSeq()) as Collections[K];
  if (map.flow) made.flow = true;
  if (present !== undefined) {
    note(isScalar(present) ? (present.source ?? 'null') : 'null');
    map.set(key, made);
    return made;
  }
  const found = map.items.findIndex(({ key: it }) => String(it) === before);
  map.items.splice(found < 0 ? map.items.length : found, 0, new Pair(new Scalar(key), made));
  return made;
}

/** Takes away a collection that has become empty, or writes it as it was. */
export function dropIfEmpty(map: YAMLMap, key: string, was: string | undefined): void {
  const value = map.get(key, true);
  if (!(isMap(value) || isSeq(value)) || value.items.length > 0) return;
  if (was === undefined) {
    map.delete(key);
    return;
  }
  if (was === '[]' || was === '{}') {
    value.flow = true;
    // Comment lines below what was taken out are still there; printed, one would be repeated behind the brackets.
    value.comment = null;
    value.commentBefore = null;
    return;
  }
  setNull(map, key, was);
}

/** A null, written as it was: `null`, `~` or nothing at all. */
export function setNull(map: YAMLMap, key: string, written: string): void {
  const empty = new Scalar(null);
  empty.source = written;
  map.set(key, empty);
}

/** Takes the item of a name out of a list, and the list with it where that leaves it empty. */
export function take(map: YAMLMap, key: string, name: string, was: string | undefined): void {
  const list = map.get(key, true);
  if (!isSeq(list)) return;
  // The last: a volume can be mounted twice, and what was added is behind what was there.
  const at = list.items.findLastIndex((item) => isMap(item) && scalarText(item, 'name') === name);
  if (at >= 0) list.items.splice(at, 1);
  dropIfEmpty(map, key, was);
}

/** Adds a plain value to a list or map, written in the style of what it is put into. */
export function append(document: Manifest, list: YAMLSeq, value: unknown): void {
  list.items.push(document.createNode(value, { flow: list.flow === true, aliasDuplicateObjects: false }));
}

/** Aliases and merge keys are one text in several places: an addition to one would silently be made to all. */
export function refuseAliases(node: unknown): void {
  if (isAlias(node)) throw new ManifestProblem(aliases(`the alias *${node.source}`));
  if (isMap(node)) {
    for (const { key, value } of node.items) {
      if (String(key) === '<<') throw new ManifestProblem(aliases('a merge key'));
      refuseAliases(value);
    }
  }
  if (isSeq(node)) for (const item of node.items) refuseAliases(item);
}

const aliases = (what: string) =>
  `has ${what}, and what is added to one place would be added to all; write them out first: kubectl create --dry-run=client -o yaml -f FILE`;
