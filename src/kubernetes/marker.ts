import type { YAMLMap } from 'yaml';
import { childMap, dropIfEmpty, ensure, type Manifest, scalarText } from './edit.ts';

/**
 * What was added, as an annotation: `native, volume=metrics-volume, mount=trainer`. A token `was:<key>=<text>` says
 * that a list or map was there, empty, and how it was written.
 */
export const markerName = 'ml-metrics-bridge/injected';

export type Token = readonly [name: string, value?: string];

export interface Marks {
  readonly all: readonly Token[];
  add(name: string, value?: string): void;
  /** For `ensure`: notes how an empty list or map was written. */
  was(key: string): (written: string) => void;
  has(name: string): boolean;
  values(name: string): readonly string[];
  /** For `dropIfEmpty`: how an empty list or map was written; undefined where there was none. */
  written(key: string): string | undefined;
}

export function createMarks(tokens: readonly Token[] = []): Marks {
  const all: Token[] = [...tokens];
  const values = (name: string) => all.filter(([it]) => it === name).map(([, value = '']) => value);
  return {
    all,
    add: (name, value) => void all.push(value === undefined ? [name] : [name, value]),
    was: (key) => (written) => void all.push([`was:${key}`, written]),
    has: (name) => all.some(([it]) => it === name),
    values,
    written: (key) => values(`was:${key}`)[0],
  };
}

/** The marks a holder of `metadata` carries; undefined where it carries none. */
export function readMarks(holder: YAMLMap, place: string): Marks | undefined {
  const annotations = annotationsOf(holder, place);
  const written = annotations && scalarText(annotations, markerName);
  if (written === undefined) return undefined;
  return createMarks(
    written.split(', ').map((token) => {
      const at = token.indexOf('=');
      return at < 0 ? [token] : [token.slice(0, at), token.slice(at + 1)];
    }),
  );
}

export function annotationsOf(holder: YAMLMap, place: string): YAMLMap | undefined {
  const metadata = childMap(holder, 'metadata', place);
  return metadata && childMap(metadata, 'annotations', `${place}.metadata`);
}

/** Writes the marks, and with them annotations that are not there yet. */
export function writeMarks(
  document: Manifest,
  holder: YAMLMap,
  marks: Marks,
  annotations: Readonly<Record<string, string>>,
): void {
  const metadata = ensure(holder, 'metadata', 'map', marks.was('metadata'), 'spec');
  const present = ensure(metadata, 'annotations', 'map', marks.was('annotations'));
  for (const [name, value] of Object.entries(annotations)) {
    if (present.has(name)) continue;
    present.set(document.createNode(name), document.createNode(value));
    marks.add('annotation', name);
  }
  const written = marks.all
    .map(([name, value]) => (value === undefined ? name : `${name}=${value}`))
    .join(', ');
  present.set(markerName, document.createNode(written));
}

/** Takes the marks away, and the annotations that came with them. */
export function eraseMarks(holder: YAMLMap, marks: Marks, place: string): void {
  const metadata = childMap(holder, 'metadata', place);
  const annotations = metadata && childMap(metadata, 'annotations', `${place}.metadata`);
  if (metadata === undefined || annotations === undefined) return;
  for (const name of [markerName, ...marks.values('annotation')]) annotations.delete(name);
  dropIfEmpty(metadata, 'annotations', marks.written('annotations'));
  dropIfEmpty(holder, 'metadata', marks.written('metadata'));
}
