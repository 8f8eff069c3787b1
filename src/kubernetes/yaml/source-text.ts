import { type Document, isMap } from 'yaml';
import { colonEnd, contentEnd, isAbsent, startOf } from './geometry.ts';
import { documentGap } from './style.ts';
import { type DocumentValues, isEmpty, keyText, type ManifestMap } from './values.ts';

/** Properties of the text that values were read from. */
export interface SourceText {
  /** How an empty value is written: `[]`, `{}`, `null`, `~` or nothing; undefined where the key is absent or not empty. */
  emptyText(map: ManifestMap, key: string): string | undefined;
  /** Whether an alias repeats a map or list, so that a change would apply in several places. */
  isShared(value: object): boolean;
  /** Where a map or list starts; undefined for one that was not read from the text. */
  offsetOf(value: object): number | undefined;
}

export function sourceTextOf(
  text: string,
  document: Document.Parsed,
  { nodeOf, isShared }: DocumentValues,
): SourceText {
  return {
    // Unusual whitespace between the colon and the value is part of the text.
    emptyText: (map, key) => {
      const node = nodeOf(map);
      if (!isMap(node) || map[key] === undefined || !isEmpty(map[key])) return undefined;
      const pair = node.items.find((it) => keyText(it.key) === key);
      if (pair === undefined || isAbsent(pair.value)) return '';
      const written = text.slice(colonEnd(text, pair), contentEnd(text, pair.value));
      const value = text.slice(startOf(pair.value), contentEnd(text, pair.value));
      return written === documentGap(text, document) + value ? value : written;
    },
    isShared,
    offsetOf: (value) => {
      const node = nodeOf(value);
      return node && startOf(node);
    },
  };
}
