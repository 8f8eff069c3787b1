import { containerName } from './container.ts';
import { childItems, childMap, findNamed, joinPosition, stringField, withField } from './fields.ts';
import { isMeshContainer } from './mesh.ts';
import type { Kind, PodLocation } from './pod-location.ts';
import { ManifestProblem } from './yaml/problem.ts';
import { isList, isManifestMap, type ManifestMap, type ManifestValue } from './yaml/values.ts';

/** A pod, or the template of one, in a resource. */
export interface Pod {
  /** The object with `metadata` and `spec`. */
  readonly holder: ManifestMap;
  readonly spec: ManifestMap;
  /** The containers without those of a service mesh. */
  readonly containers: readonly ManifestMap[];
  /** Path of the spec in the resource, for messages. */
  readonly position: string;
  readonly location: PodLocation;
}

/** Changes every pod of a resource. A pod that is returned as the same object is unchanged. */
export function mapPods(resource: ManifestMap, kind: Kind, change: (pod: Pod) => ManifestMap): ManifestMap {
  let count = 0;
  const changed = kind.templates.reduce<ManifestMap>(
    (all, path) =>
      mapAt(all, path, [], (holder, keys) => {
        count++;
        return change(readPod(holder, { kind, resource, keys }));
      }),
    resource,
  );
  if (count === 0) throw new ManifestProblem(`${kind.kind} has no pod template`, resource);
  return changed;
}

/** Changes the objects at a path. Optional parts that are absent, such as a Ray cluster's workers, are skipped. */
function mapAt(
  from: ManifestMap,
  [key, ...rest]: readonly string[],
  before: readonly string[],
  change: (holder: ManifestMap, keys: readonly string[]) => ManifestMap,
): ManifestMap {
  if (key === undefined) return change(from, before);
  const keys = [...before, key];
  if (rest[0] !== '*') {
    const next = childMap(from, key, positionOf(before));
    return next ? replaced(from, key, next, mapAt(next, rest, keys, change)) : from;
  }
  const each = (item: ManifestValue, name: string) => {
    const itemKeys = [...keys, name];
    if (!isManifestMap(item)) throw new ManifestProblem(`${positionOf(itemKeys)} is not a map`, from);
    return mapAt(item, rest.slice(1), itemKeys, change);
  };
  const all = from[key];
  if (isList(all)) {
    const items = all.map((item, index) => each(item, String(index)));
    return items.every((item, index) => item === all[index]) ? from : withField(from, key, items);
  }
  if (!isManifestMap(all)) return from;
  const entries = Object.entries(all).map(([name, item]) => [name, each(item, name)] as const);
  return entries.every(([name, item]) => item === all[name])
    ? from
    : withField(from, key, Object.fromEntries(entries));
}

const replaced = (map: ManifestMap, key: string, before: ManifestMap, after: ManifestMap) =>
  before === after ? map : withField(map, key, after);

const positionOf = (keys: readonly string[]) =>
  keys.reduce(
    (position, key) => (/^\d+$/.test(key) ? `${position}[${key}]` : joinPosition(position, key)),
    '',
  );

function readPod(holder: ManifestMap, location: PodLocation): Pod {
  const position = positionOf([...location.keys, 'spec']);
  const spec = childMap(holder, 'spec', positionOf(location.keys));
  if (spec === undefined) throw new ManifestProblem(`${position} is missing`, holder);
  const all = childItems(spec, 'containers', position);
  const containers = all.filter((container) => !isMeshContainer(stringField(container, 'name')));
  if (containers.length === 0) throw new ManifestProblem(`${position} has no container`, spec);
  return { holder, spec, containers, position, location };
}

/** The bridge's container, whether `inject` or a person added it. */
export function presentBridge({ spec, position }: Pod): ManifestMap | undefined {
  return (
    findNamed(childItems(spec, 'initContainers', position), containerName) ??
    findNamed(childItems(spec, 'containers', position), containerName)
  );
}
