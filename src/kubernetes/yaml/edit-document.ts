import { parseAllDocuments } from 'yaml';
import type { ManifestDocument } from './documents.ts';
import { ManifestProblem } from './problem.ts';
import { rewrite } from './rewrite.ts';
import { type SourceText, sourceTextOf } from './source-text.ts';
import { applyEdits } from './text-edit.ts';
import { type ManifestValue, meanTheSame, readValues } from './values.ts';

/** Changes the value of a document. Returns the same object if nothing changes. */
export type RootEdit = (root: ManifestValue, source: SourceText) => ManifestValue;

/**
 * Edits a document in place and checks the result: its value must be the edited value, and `inverse`, if given, must
 * restore the same bytes from it as from the original document.
 *
 * @throws ManifestProblem if a check fails
 */
export function editDocument(
  text: string,
  document: ManifestDocument,
  edit: RootEdit,
  inverse?: RootEdit,
): string {
  const edited = rewriteDocument(text, document, edit);
  if (!edited.isChanged) return edited.text;
  const { start } = document.span;
  const changedAt = start + firstDifference(text.slice(start), edited.text);
  const parsed = parseAgain(edited.text);
  if (parsed === undefined || !meanTheSame(readValues(parsed.document).root, edited.after))
    throw new ManifestProblem('cannot be edited here without changing its meaning', changedAt);
  if (inverse === undefined) return edited.text;
  const back = rewriteDocument(edited.text, parsed, inverse).text;
  const expected = rewriteDocument(text, document, inverse).text;
  if (back === expected) return edited.text;
  const at = Math.min(start + firstDifference(expected, back), document.span.end);
  throw new ManifestProblem(
    '--remove could not restore this text byte by byte: write it in the usual form',
    at,
  );
}

interface Rewritten {
  readonly text: string;
  readonly after: ManifestValue;
  readonly isChanged: boolean;
}

function rewriteDocument(text: string, { document, span }: ManifestDocument, edit: RootEdit): Rewritten {
  const values = readValues(document);
  const after = edit(values.root, sourceTextOf(text, document, values));
  if (after === values.root) return { text: text.slice(span.start, span.end), after, isChanged: false };
  return { text: applyEdits(text, span, rewrite(text, document, values, after)), after, isChanged: true };
}

function parseAgain(text: string): ManifestDocument | undefined {
  const parsed = parseAllDocuments(text);
  const [document] = parsed;
  if (document === undefined || parsed.length > 1 || document.errors.length > 0) return undefined;
  return { document, number: 1, span: { start: 0, end: text.length } };
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  return at;
}
