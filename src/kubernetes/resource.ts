import { childItems, childMap, stringField, withField, withItems } from './fields.ts';
import { isManifestMap, type ManifestMap } from './yaml/values.ts';

/** The identity of a resource that was edited. */
export interface Resource {
  readonly kind: string;
  readonly name: string | undefined;
  readonly generateName: string | undefined;
  readonly namespace: string | undefined;
}

/** The group of a resource's API, without its version, and its kind; empty where they are absent. */
export function typeOf(resource: ManifestMap): { readonly group: string; readonly kind: string } {
  const apiVersion = stringField(resource, 'apiVersion') ?? '';
  return {
    group: apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '',
    kind: stringField(resource, 'kind') ?? '',
  };
}

export function describeResource(resource: ManifestMap): Resource {
  const metadata = isManifestMap(resource.metadata) ? resource.metadata : undefined;
  return {
    kind: typeOf(resource).kind,
    name: stringField(metadata, 'name'),
    generateName: stringField(metadata, 'generateName'),
    namespace: stringField(metadata, 'namespace'),
  };
}

/** Kind and name, for messages. */
export function titleOf(resource: ManifestMap): string {
  const { kind, name, generateName } = describeResource(resource);
  return [kind || 'no kind', name ?? generateName].filter(Boolean).join(' ');
}

/** Edits nested resources: the items of a List, the components of an AppWrapper. Undefined for other kinds. */
export function mapNested(
  resource: ManifestMap,
  edit: (item: ManifestMap, position: string) => ManifestMap,
): ManifestMap | undefined {
  const { group, kind } = typeOf(resource);
  if (kind === 'List') {
    const items = childItems(resource, 'items', '');
    return withItems(resource, 'items', (item) => edit(item, `items[${items.indexOf(item)}]`));
  }
  if (group !== 'workload.codeflare.dev' || kind !== 'AppWrapper') return undefined;
  const spec = childMap(resource, 'spec', '') ?? {};
  const components = childItems(spec, 'components', 'spec');
  const changed = withItems(spec, 'components', (component) => {
    const template = childMap(component, 'template', 'spec.components');
    if (template === undefined) return component;
    const edited = edit(template, `components[${components.indexOf(component)}].template`);
    return edited === template ? component : withField(component, 'template', edited);
  });
  return changed === spec ? resource : withField(resource, 'spec', changed);
}
