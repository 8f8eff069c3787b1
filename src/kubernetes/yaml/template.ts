import { type Document, isMap, visit } from 'yaml';
import { startOf } from './geometry.ts';

export const templateAdvice =
  'this is a template of Helm or Go, not a manifest yet: render it first (helm template … | ml-metrics-bridge inject)';

/** Actions of Helm only: others can belong to a workflow engine, or to a command of the container. */
const helmAction =
  /\{\{-?\s*\(?\s*(?:include|toYaml|tpl|template|required)\b|\{\{[^}]*\.(?:Values|Release|Chart|Capabilities|Files)\b/;

/**
 * The offset of the first template action in a document; undefined if there is none. `name: {{.Name}}` is valid YAML: a
 * map whose key is a map.
 */
export function findTemplate(text: string, document: Document.Parsed): number | undefined {
  const { contents, errors, range } = document;
  if (errors.length > 0) {
    const found = text.slice(range[0], errors.at(-1)?.pos[1] ?? range[2]).search(/\{\{/);
    return found < 0 ? undefined : range[0] + found;
  }
  if (!text.slice(range[0], range[2]).includes('{{')) return undefined;
  let offset: number | undefined;
  visit(contents, {
    Pair(_key, { key }) {
      if (!isMap(key) || text[startOf(key) - 1] !== '{') return undefined;
      offset = startOf(key) - 1;
      return visit.BREAK;
    },
    Scalar(_key, scalar) {
      const { value, type } = scalar;
      if (typeof value !== 'string' || type === 'BLOCK_LITERAL' || type === 'BLOCK_FOLDED') return undefined;
      if (!helmAction.test(value)) return undefined;
      offset = startOf(scalar);
      return visit.BREAK;
    },
  });
  return offset;
}
