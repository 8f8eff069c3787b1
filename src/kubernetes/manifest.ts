import {
  type Document,
  type DocumentOptions,
  LineCounter,
  type ParseOptions,
  parseAllDocuments,
  parseDocument,
  type ScalarTag,
  type SchemaOptions,
  type ToStringOptions,
} from 'yaml';
import { splice } from './splice.ts';

export interface ManifestDocument {
  readonly document: Document.Parsed;
  /** From 1, as a person counts. */
  readonly number: number;
  /** The text it was read from. */
  readonly source: string;
}

export type Parsing =
  | { readonly status: 'ok'; readonly documents: readonly ManifestDocument[] }
  | { readonly status: 'invalid'; readonly problems: readonly string[] };

/**
 * Numbers, booleans and nulls are written back as they were read: `defaultMode: 0644` is octal to Kubernetes and
 * decimal to YAML 1.2, and what is not ours is not to be touched.
 */
function asWritten(tag: ScalarTag): ScalarTag {
  const { stringify } = tag;
  if (tag.collection !== undefined || stringify === undefined || tag.tag === 'tag:yaml.org,2002:str')
    return tag;
  return { ...tag, stringify: (item, ...rest) => item.source ?? stringify(item, ...rest) };
}

const parserOptions: ParseOptions & DocumentOptions & SchemaOptions = {
  customTags: (tags) => tags.map((tag) => (typeof tag === 'string' ? tag : asWritten(tag as ScalarTag))),
};

export function parseManifest(text: string): Parsing {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, {
    ...parserOptions,
    lineCounter: lines,
  });
  const all = 'empty' in parsed ? [] : parsed;
  const problems = all.flatMap(({ errors }, index) =>
    errors.map(
      ({ message, linePos }) =>
        `document ${index + 1}, line ${linePos?.[0].line ?? '?'}: ${message.split('\n')[0]?.replace(/ at line .*$/, '')}`,
    ),
  );
  if (problems.length > 0) return { status: 'invalid', problems };
  let start = 0;
  const documents = all.map((document, index) => {
    const end = index === all.length - 1 ? text.length : document.range[2];
    const source = text.slice(start, end);
    start = end;
    return { document, number: index + 1, source };
  });
  return { status: 'ok', documents };
}

/** A document that was edited. The lines that were not edited are as they were written, wherever that can be. */
export function printDocument({ document, source }: ManifestDocument): string {
  const json = jsonIndent(source);
  if (json !== undefined) return `${JSON.stringify(document.toJS(), null, json)}\n`;
  const style = styleOf(source);
  const edited = document.toString(style);
  const spliced = splice(source, parseDocument(source, parserOptions).toString(style), edited);
  return spliced !== undefined && meansTheSame(spliced, document) ? spliced : edited;
}

function meansTheSame(text: string, document: Document.Parsed): boolean {
  const parsed = parseDocument(text, parserOptions);
  return parsed.errors.length === 0 && JSON.stringify(parsed) === JSON.stringify(document);
}

function styleOf(source: string): ToStringOptions {
  const firstNested = /^(?!#)[^\s-][^\n]*:[^\S\n]*\n(?:[^\S\n]*(?:#[^\n]*)?\n)*( +)(?!- )\S/m.exec(
    source,
  )?.[1];
  const list = /^( *)(?:- )?[^\s#-][^\n]*:[^\S\n]*\n(?: *(?:#[^\n]*)?\n)*( *)- /m.exec(source);
  return {
    indent: firstNested?.length ?? 2,
    // Lists are written at the column of their key, or deeper.
    indentSeq: list === null || list[1] !== list[2],
    flowCollectionPadding: !/[{][^\s}]/.test(source),
    // Nothing is to be folded that was not.
    lineWidth: 0,
  };
}

/** A document in JSON stays JSON; gives its indentation, or undefined where it is YAML. */
function jsonIndent(source: string): number | undefined {
  if (!source.trimStart().startsWith('{')) return undefined;
  try {
    JSON.parse(source);
  } catch {
    return undefined;
  }
  return /^\{\n( +)"/.exec(source.trimStart())?.[1]?.length ?? 0;
}
