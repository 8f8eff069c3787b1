import { type Document, isMap, isScalar, visit } from 'yaml';
import { lineBefore, startOf, type TextRange, valueRange } from './geometry.ts';

export const templateAdvice =
  'this is a template of Helm or Go, not a manifest yet: render it first (helm template … | ml-metrics-bridge inject)';

/** Actions of Helm only: others can belong to a workflow engine, to Alertmanager, or to a command of the container. */
const helmAction =
  /\{\{-?\s*\(?\s*(?:include|toYaml|tpl|required)\b|\{\{[^}]*\.(?:Values|Release|Chart|Capabilities|Files)\b/;

/**
 * The offset of the first template action in a document; undefined if there is none. `name: {{.Name}}` is valid YAML: a
 * map whose key is a map.
 */
export function findTemplate(text: string, document: Document.Parsed): number | undefined {
  const { contents, errors, range } = document;
  if (errors.length > 0) return findInInvalid(text, document);
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

/** An action that can be the cause of an error: on its line, or outside of comments and of text that is quoted or a block. */
function findInInvalid(text: string, { contents, errors, range }: Document.Parsed): number | undefined {
  const quoted: TextRange[] = [];
  visit(contents, (_key, node) => {
    if (isScalar(node) && node.type !== 'PLAIN') quoted.push(valueRange(node));
  });
  const isOnLineOf = (from: number, to: number) =>
    !text.slice(Math.min(from, to), Math.max(from, to)).includes('\n');
  const canBeCause = (at: number) =>
    errors.some(({ pos }) => isOnLineOf(pos[0], at)) ||
    !(/(^|\s)#/.test(lineBefore(text, at)) || quoted.some(({ start, end }) => start <= at && at < end));
  const part = text.slice(range[0], errors.at(-1)?.pos[1] ?? range[2]);
  return [...part.matchAll(/\{\{/g)].map(({ index }) => range[0] + index).find(canBeCause);
}
