import { type Document, LineCounter, parseAllDocuments } from 'yaml';
import { nextLine, type TextRange } from './geometry.ts';
import { findTemplate, templateAdvice } from './template.ts';

/** One document of a stream. */
export interface ManifestDocument {
  readonly document: Document.Parsed;
  /** Counts from 1. */
  readonly number: number;
  /** Its part of the text, including the marker and comments before it. */
  readonly span: TextRange;
}

export interface ManifestText {
  readonly text: string;
  readonly documents: readonly ManifestDocument[];
  /** The line of an offset, from 1. */
  readonly lineAt: (offset: number) => number;
}

export type ParsedManifest =
  | { readonly status: 'ok'; readonly manifest: ManifestText }
  | { readonly status: 'invalid'; readonly problems: readonly string[] };

export function parseManifest(text: string): ParsedManifest {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines });
  const all = 'empty' in parsed ? [] : parsed;
  const lineAt = (offset: number) => lines.linePos(offset).line;
  const problems = all.flatMap((document, index) => documentProblems(text, document, index + 1, lineAt));
  if (problems.length > 0) return { status: 'invalid', problems };
  let start = 0;
  const documents = all.map((document, index) => {
    const end = index === all.length - 1 ? text.length : nextLine(text, document.range[2]);
    const span = { start, end };
    start = end;
    return { document, number: index + 1, span };
  });
  return { status: 'ok', manifest: { text, documents, lineAt } };
}

function documentProblems(
  text: string,
  document: Document.Parsed,
  number: number,
  lineAt: (offset: number) => number,
): readonly string[] {
  const template = findTemplate(text, document);
  if (template !== undefined) return [`document ${number}, line ${lineAt(template)}: ${templateAdvice}`];
  return document.errors.map(
    ({ message, linePos }) =>
      `document ${number}, line ${linePos?.[0].line ?? '?'}: ${message.split('\n')[0]?.replace(/ at line .*$/, '')}`,
  );
}
