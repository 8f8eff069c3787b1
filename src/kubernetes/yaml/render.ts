import { stringify } from 'yaml';
import { isList, isManifestMap, isVerbatim, type ManifestValue, verbatimTextOf } from './values.ts';

/** Kubernetes reads YAML 1.1, in which a plain `on` is a boolean and `1_000` a number. */
const forKubernetes = { compat: 'yaml-1.1', lineWidth: 0 } as const;

export interface BlockStyle {
  /** Columns that a nested map is indented by. */
  readonly step: number;
  /** Whether lists are indented deeper than their key. */
  readonly isListIndented: boolean;
  readonly lineBreak: string;
}

export interface FlowStyle {
  readonly isJson: boolean;
  /** Between a colon or comma and what follows it on the line. */
  readonly gap: string;
  /** Inside the braces of a map. */
  readonly padding: string;
  /** Set if each item is on its own line: their indentation, and the additional indentation of nested items. */
  readonly lines?: { readonly indent: string; readonly step: string; readonly lineBreak: string } | undefined;
}

/** A pair or a list item as whole lines, indented by a number of columns. */
export function renderBlock(
  item: unknown,
  column: number,
  { step, isListIndented, lineBreak }: BlockStyle,
): string {
  const text = stringify(item, {
    indent: step,
    indentSeq: isListIndented,
    ...forKubernetes,
    blockQuote: false,
    doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER,
  });
  const lines = text.slice(0, -1).split('\n');
  return lines.map((line) => ' '.repeat(column) + line + lineBreak).join('');
}

export function renderFlow(value: ManifestValue, style: FlowStyle): string {
  if (isVerbatim(value)) return verbatimTextOf(value);
  if (style.isJson && style.lines) {
    const { indent, step, lineBreak } = style.lines;
    return JSON.stringify(value, null, step).replaceAll('\n', lineBreak + indent);
  }
  const comma = `,${style.gap}`;
  if (isList(value)) return `[${value.map((item) => renderFlow(item, style)).join(comma)}]`;
  if (!isManifestMap(value)) return style.isJson ? JSON.stringify(value) : renderScalar(value);
  const pairs = Object.entries(value).map(([key, item]) => renderFlowPair(key, item, style));
  return pairs.length === 0 ? '{}' : `{${style.padding}${pairs.join(comma)}${style.padding}}`;
}

export const renderFlowPair = (key: string, value: ManifestValue, style: FlowStyle): string =>
  `${style.isJson ? JSON.stringify(key) : renderScalar(key)}:${style.gap}${renderFlow(value, style)}`;

/** A scalar on one line, for block and flow. */
export function renderScalar(value: ManifestValue): string {
  if (typeof value === 'string' && /[,[\]{}\n]/.test(value)) return JSON.stringify(value);
  return stringify(value, forKubernetes).trimEnd();
}
