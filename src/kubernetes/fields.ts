import { ManifestProblem } from './yaml/problem.ts';
import {
  isEmpty,
  isList,
  isManifestMap,
  isVerbatim,
  type ManifestMap,
  type ManifestValue,
  verbatim,
} from './yaml/values.ts';

/** The value of a key that holds a map; undefined where it is absent or null. */
export function childMap(map: ManifestMap, key: string, position: string): ManifestMap | undefined {
  const value = map[key] ?? undefined;
  if (value === undefined || isVerbatim(value)) return undefined;
  if (isManifestMap(value)) return value;
  throw new ManifestProblem(`${joinPosition(position, key)} is not a map`, nodeIn(map, key));
}

/** The items of a list of maps; empty where the list is absent. */
export function childItems(map: ManifestMap, key: string, position: string): readonly ManifestMap[] {
  const value = map[key] ?? undefined;
  if (value === undefined || isVerbatim(value)) return [];
  if (!isList(value))
    throw new ManifestProblem(`${joinPosition(position, key)} is not a list`, nodeIn(map, key));
  return value.map((item, index) => {
    if (isManifestMap(item)) return item;
    throw new ManifestProblem(`${joinPosition(position, key)}[${index}] is not a map`, value);
  });
}

/** The value of a key as the place of a problem; its map if it is a scalar. */
function nodeIn(map: ManifestMap, key: string): object {
  const value = map[key];
  return typeof value === 'object' && value !== null ? value : map;
}

export function stringField(map: ManifestMap | undefined, key: string): string | undefined {
  const value = map?.[key];
  return typeof value === 'string' ? value : undefined;
}

/** Kubernetes reads YAML 1.1, in which a plain `yes` and `on` are true. It refuses a text in quotes. */
export const isTrue = (value: ManifestValue): boolean =>
  value === true || (typeof value === 'string' && /^(y|Y|yes|Yes|YES|on|On|ON)$/.test(value));

/** The value at a path of keys; list indices are strings. Undefined if there is none. */
export const valueAt = (root: ManifestValue, keys: readonly string[]): ManifestValue =>
  keys.reduce<ManifestValue>((value, key) => {
    if (isList(value)) return value[Number(key)];
    return isManifestMap(value) ? value[key] : undefined;
  }, root);

/** The path of a value for messages, as in `spec.containers`. */
export const joinPosition = (position: string, key: string) => (position === '' ? key : `${position}.${key}`);

export const findNamed = (items: readonly ManifestMap[], name: string) =>
  items.find((item) => item.name === name);

/** The items of a list that have a name. */
export const namedItems = (list: ManifestValue) =>
  (isList(list) ? list : []).filter(isManifestMap).flatMap((item) => {
    const name = stringField(item, 'name');
    return name === undefined ? [] : [{ name, item }];
  });

/** Sets a key. A new key is inserted before the key `before`, or at the end if that is absent. */
export function withField(map: ManifestMap, key: string, value: ManifestValue, before?: string): ManifestMap {
  if (map[key] !== undefined || before === undefined || map[before] === undefined)
    return { ...map, [key]: value };
  return Object.fromEntries(
    Object.entries(map).flatMap((entry) => (entry[0] === before ? [[key, value] as const, entry] : [entry])),
  );
}

export function withoutField(map: ManifestMap, key: string): ManifestMap {
  const { [key]: _, ...rest } = map;
  return rest;
}

/** Appends an item to the list under a key; creates the list if it is absent or empty. */
export function withAppended(map: ManifestMap, key: string, item: ManifestMap, before?: string): ManifestMap {
  const present = map[key];
  return withField(map, key, [...(isList(present) ? present : []), item], before);
}

/** Replaces the items of a list that a function changes. Returns the same map if it changes none. */
export function withItems(
  map: ManifestMap,
  key: string,
  change: (item: ManifestMap) => ManifestMap,
): ManifestMap {
  const list = map[key];
  if (!isList(list)) return map;
  const changed = list.map((item) => (isManifestMap(item) ? change(item) : item));
  return changed.every((item, index) => item === list[index]) ? map : withField(map, key, changed);
}

/**
 * Removes the last item with a name from a list: a volume can be mounted twice, and `inject` appends.
 *
 * @param emptyText how the list was written before anything was added to it; undefined where there was none
 */
export function withoutItem(
  map: ManifestMap,
  key: string,
  name: string,
  emptyText: string | undefined,
): ManifestMap {
  const list = map[key];
  if (!isList(list)) return map;
  const index = list.findLastIndex((item) => isManifestMap(item) && item.name === name);
  return index < 0 ? map : withValueOrEmpty(map, key, list.toSpliced(index, 1), emptyText);
}

/** Sets a value. An empty one is written as before, or removed with its key. */
export function withValueOrEmpty(
  map: ManifestMap,
  key: string,
  value: ManifestValue,
  emptyText: string | undefined,
): ManifestMap {
  if (!isEmpty(value)) return withField(map, key, value);
  return emptyText === undefined ? withoutField(map, key) : withField(map, key, verbatim(emptyText));
}
