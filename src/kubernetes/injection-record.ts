import { childMap, joinPosition, stringField, withField, withoutField, withValueOrEmpty } from './fields.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

/**
 * An annotation that records what was added: `native, volume=metrics-volume, mount=trainer/metrics-volume`. An entry
 * `was:<key>=<text>` records how an empty list or map was written before it was filled.
 */
export const recordAnnotation = 'ml-metrics-bridge/injected';

type RecordEntry = readonly [name: string, value?: string];

export interface InjectionRecord {
  add(name: string, value?: string): void;
  /** Records how an empty list or map is written, before it is filled. */
  addEmpty(key: string, text: string | undefined): void;
  has(name: string): boolean;
  values(name: string): readonly string[];
  /** How an empty list or map was written; undefined where there was none. */
  emptyText(key: string): string | undefined;
  toText(): string;
}

export function createRecord(entries: readonly RecordEntry[] = []): InjectionRecord {
  const all: RecordEntry[] = [...entries];
  const values = (name: string) => all.filter(([it]) => it === name).map(([, value = '']) => value);
  return {
    add: (name, value) => void all.push(value === undefined ? [name] : [name, value]),
    addEmpty: (key, text) => {
      if (text !== undefined) all.push([`was:${key}`, text]);
    },
    has: (name) => all.some(([it]) => it === name),
    values,
    emptyText: (key) => values(`was:${key}`)[0],
    toText: () => all.map(([name, value]) => (value === undefined ? name : `${name}=${value}`)).join(', '),
  };
}

/** The record in the annotations of a pod or TrainJob; undefined if there is none. */
export function readRecord(holder: ManifestMap, position: string): InjectionRecord | undefined {
  const text = stringField(annotationsOf(holder, position), recordAnnotation);
  if (text === undefined) return undefined;
  return createRecord(
    text.split(', ').map((entry) => {
      const at = entry.indexOf('=');
      return at < 0 ? [entry] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}

export const annotationsOf = (holder: ManifestMap, position: string): ManifestMap | undefined =>
  metadataMap(holder, 'annotations', position);

export const labelsOf = (holder: ManifestMap, position: string): ManifestMap | undefined =>
  metadataMap(holder, 'labels', position);

function metadataMap(holder: ManifestMap, key: string, position: string): ManifestMap | undefined {
  // The position of a pod is that of its spec; a TrainJob has none.
  const parent = position.replace(/(^|\.)spec$/, '');
  const metadata = childMap(holder, 'metadata', parent);
  return metadata && childMap(metadata, key, joinPosition(parent, 'metadata'));
}

export interface AddedMetadata {
  readonly annotations: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
}

/** Writes the record, and adds the annotations and labels that are missing. */
export function writeRecord(
  holder: ManifestMap,
  record: InjectionRecord,
  { annotations, labels }: AddedMetadata,
  source: SourceText,
): ManifestMap {
  const metadata = childMap(holder, 'metadata', '');
  record.addEmpty('metadata', source.emptyText(holder, 'metadata'));
  let changed = metadata ?? {};
  const newLabels = missing(childMap(changed, 'labels', 'metadata'), labels);
  if (Object.keys(newLabels).length > 0) {
    if (metadata) record.addEmpty('labels', source.emptyText(metadata, 'labels'));
    for (const name of Object.keys(newLabels)) record.add('label', name);
    changed = withField(
      changed,
      'labels',
      { ...childMap(changed, 'labels', 'metadata'), ...newLabels },
      'annotations',
    );
  }
  if (metadata) record.addEmpty('annotations', source.emptyText(metadata, 'annotations'));
  const present = childMap(changed, 'annotations', 'metadata');
  const newAnnotations = missing(present, annotations);
  for (const name of Object.keys(newAnnotations)) record.add('annotation', name);
  changed = withField(changed, 'annotations', {
    ...present,
    ...newAnnotations,
    [recordAnnotation]: record.toText(),
  });
  return withField(holder, 'metadata', changed, 'spec');
}

const missing = (present: ManifestMap | undefined, added: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(added).filter(([name]) => present?.[name] === undefined));

/** Removes the record, and the annotations and labels that were added with it. */
export function eraseRecord(holder: ManifestMap, record: InjectionRecord, position: string): ManifestMap {
  const annotations = annotationsOf(holder, position);
  let metadata = childMap(holder, 'metadata', position);
  if (metadata === undefined || annotations === undefined) return holder;
  const labels = labelsOf(holder, position);
  const added = record.values('label');
  if (labels && added.length > 0)
    metadata = withValueOrEmpty(metadata, 'labels', without(labels, added), record.emptyText('labels'));
  const rest = without(annotations, [recordAnnotation, ...record.values('annotation')]);
  metadata = withValueOrEmpty(metadata, 'annotations', rest, record.emptyText('annotations'));
  return withValueOrEmpty(holder, 'metadata', metadata, record.emptyText('metadata'));
}

const without = (map: ManifestMap, keys: readonly string[]) => keys.reduce(withoutField, map);
