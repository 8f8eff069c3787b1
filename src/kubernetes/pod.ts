import { isMap, isSeq, type YAMLMap } from 'yaml';
import { containerName } from './container.ts';
import { child, childItems, childMap, ManifestProblem, named, scalarText } from './edit.ts';
import type { Kind } from './kinds.ts';
import { isMeshContainer } from './mesh.ts';

/** A pod, or the template of one, in a manifest. */
export interface Pod {
  /** What holds `metadata` and `spec`. */
  readonly holder: YAMLMap;
  readonly spec: YAMLMap;
  /** The containers that do the work: those of a mesh are not among them. */
  readonly containers: readonly YAMLMap[];
  /** Path in the manifest, for messages. */
  readonly place: string;
}

/** Every pod of a resource. */
export function podsOf(resource: YAMLMap, { kind, templates }: Kind): readonly Pod[] {
  const holders = templates.flatMap((path) => follow(resource, path, ''));
  if (holders.length === 0) throw new ManifestProblem(`${kind} has no pod template`);
  return holders.map(({ holder, place }) => podAt(holder, place));
}

interface Found {
  readonly holder: YAMLMap;
  readonly place: string;
}

/** Where a path leads to. An optional part that is absent, such as a Ray cluster's workers, leads nowhere. */
function follow(from: YAMLMap, [key, ...rest]: readonly string[], place: string): readonly Found[] {
  if (key === undefined) return [{ holder: from, place }];
  const at = (name: string) => (place === '' ? name : `${place}.${name}`);
  if (rest[0] !== '*') {
    const next = childMap(from, key, place);
    return next ? follow(next, rest, at(key)) : [];
  }
  const all = child(from, key);
  const entries: readonly [unknown, string][] = isSeq(all)
    ? all.items.map((item, index) => [item, `${at(key)}[${index}]`])
    : isMap(all)
      ? all.items.map((pair) => [pair.value, `${at(key)}.${pair.key}`])
      : [];
  return entries.flatMap(([item, where]) => {
    if (!isMap(item)) throw new ManifestProblem(`${where} is not a map`);
    return follow(item, rest.slice(1), where);
  });
}

function podAt(holder: YAMLMap, place: string): Pod {
  const here = place === '' ? 'spec' : `${place}.spec`;
  const spec = childMap(holder, 'spec', place);
  if (spec === undefined) throw new ManifestProblem(`${here} is missing`);
  const all = childItems(spec, 'containers', here);
  const containers = all.filter((container) => !isMeshContainer(scalarText(container, 'name')));
  if (containers.length === 0) throw new ManifestProblem(`${here} has no container`);
  return { holder, spec, containers, place: here };
}

/** The bridge's container, whoever has put it there. */
export function presentBridge({ spec, place }: Pod): YAMLMap | undefined {
  return (
    named(childItems(spec, 'initContainers', place), containerName) ??
    named(childItems(spec, 'containers', place), containerName)
  );
}
