import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  visit,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { startOf } from './geometry.ts';
import { ManifestProblem } from './problem.ts';

/** The values of a manifest as plain data. Edits create new maps and lists; the text of unchanged objects is kept. */
export type ManifestValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | readonly ManifestValue[]
  | ManifestMap
  | Verbatim;

export interface ManifestMap {
  readonly [key: string]: ManifestValue;
}

const verbatimText = Symbol('verbatim');

/** An empty value with its exact text: `[]`, `~`, or nothing. */
export interface Verbatim {
  readonly [verbatimText]: string;
}

export const verbatim = (text: string): Verbatim => ({ [verbatimText]: text });

export const isVerbatim = (value: ManifestValue): value is Verbatim =>
  typeof value === 'object' && value !== null && verbatimText in value;

export const verbatimTextOf = (value: Verbatim): string => value[verbatimText];

export const isList = (value: ManifestValue): value is readonly ManifestValue[] => Array.isArray(value);

export const isManifestMap = (value: ManifestValue): value is ManifestMap =>
  typeof value === 'object' && value !== null && !isList(value) && !isVerbatim(value);

export const isEmpty = (value: ManifestValue): boolean =>
  value === null ||
  isVerbatim(value) ||
  (isList(value) && value.length === 0) ||
  (isManifestMap(value) && Object.keys(value).length === 0);

/** The values of a document, and the syntax node of each map and list. */
export interface DocumentValues {
  readonly root: ManifestValue;
  readonly nodeOf: (value: object) => YAMLMap | YAMLSeq | undefined;
  /** Whether an alias repeats a map or list, so that a change would apply in several places. */
  readonly isShared: (value: object) => boolean;
}

/** Reads a document. An alias gives the object of its anchor. Merge keys are merged, as Kubernetes does. */
export function readValues(document: Document.Parsed): DocumentValues {
  const nodes = new WeakMap<object, YAMLMap | YAMLSeq>();
  const aliased = new Set<unknown>();
  const values = new Map<unknown, ManifestValue | 'being read'>();
  let targets: ReadonlyMap<Alias, unknown> | undefined;

  function read(node: unknown): ManifestValue {
    if (isAlias(node)) return read(target(node));
    if (isScalar(node)) return node.value as ManifestValue;
    if (!isMap(node) && !isSeq(node)) return null;
    const known = values.get(node);
    if (known === 'being read')
      throw new ManifestProblem('has an anchor that refers to itself', startOf(node));
    if (known !== undefined) return known;
    values.set(node, 'being read');
    const value = isMap(node) ? readMap(node) : node.items.map(read);
    values.set(node, value);
    nodes.set(value as object, node);
    return value;
  }

  function readMap(map: YAMLMap): ManifestMap {
    const own = map.items.filter((pair) => !isMergeKey(pair.key));
    const merged = map.items
      .filter((pair) => isMergeKey(pair.key))
      .flatMap(({ value }) => sources(read(value)));
    return Object.fromEntries([
      ...merged.toReversed().flatMap((source) => Object.entries(source)),
      ...own.map(({ key, value }) => [keyText(key), read(value)] as const),
    ]);
  }

  function target(alias: Alias): unknown {
    targets ??= aliasTargets(document);
    const found = targets.get(alias);
    if (found === undefined)
      throw new ManifestProblem(`has the alias *${alias.source} without its anchor`, startOf(alias));
    aliased.add(found);
    return found;
  }

  return {
    root: read(document.contents),
    nodeOf: (value) => nodes.get(value),
    isShared: (value) => aliased.has(nodes.get(value)),
  };
}

/** The last node with the anchor before each alias. `Alias.resolve` reads the document again for every alias. */
function aliasTargets(document: Document.Parsed): ReadonlyMap<Alias, unknown> {
  const anchors = new Map<string, unknown>();
  const targets = new Map<Alias, unknown>();
  visit(document, {
    Node(_key, node) {
      if (isAlias(node)) targets.set(node, anchors.get(node.source));
      else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

const sources = (value: ManifestValue): readonly ManifestMap[] =>
  isList(value) ? value.filter(isManifestMap) : isManifestMap(value) ? [value] : [];

const isMergeKey = (key: unknown) => isScalar(key) && key.value === '<<' && key.type === 'PLAIN';

export const keyText = (key: unknown): string => String(isScalar(key) ? key.value : key);

/** Whether two values are equal. Values that aliases repeat are compared once. */
export function meanTheSame(
  a: ManifestValue,
  b: ManifestValue,
  equal = new Map<unknown, unknown>(),
): boolean {
  if (isVerbatim(a) || isVerbatim(b)) return isEmpty(a) && isEmpty(b);
  if (a === b || (equal.has(a) && equal.get(a) === b)) return true;
  const isSame = isList(a)
    ? isList(b) && a.length === b.length && a.every((item, index) => meanTheSame(item, b[index], equal))
    : isManifestMap(a) && isManifestMap(b) && sameKeys(a, b, equal);
  if (isSame) equal.set(a, b);
  return isSame || Object.is(a, b);
}

function sameKeys(a: ManifestMap, b: ManifestMap, equal: Map<unknown, unknown>): boolean {
  const keys = definedKeys(a);
  return (
    keys.length === definedKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && meanTheSame(a[key], b[key], equal))
  );
}

const definedKeys = (map: ManifestMap) => Object.keys(map).filter((key) => map[key] !== undefined);
