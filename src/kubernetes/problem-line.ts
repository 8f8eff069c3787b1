import type { ManifestText } from './yaml/documents.ts';
import { ManifestProblem } from './yaml/problem.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

export const withLine = (message: string, offset: number | undefined, { lineAt }: ManifestText): string =>
  offset === undefined ? message : `line ${lineAt(offset)}: ${message}`;

/** The message of a problem, with the line of its place, else of the resource. */
export function withLineOf(
  { message, place }: ManifestProblem,
  resource: ManifestMap,
  source: SourceText,
  manifest: ManifestText,
): string {
  const offset = typeof place === 'object' ? source.offsetOf(place) : place;
  return withLine(message, offset ?? source.offsetOf(resource), manifest);
}

/** Calls a function. A problem without a place gets this one. */
export function placeProblems<T>(place: ManifestMap, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const isPlaced = !(error instanceof ManifestProblem) || error.place !== undefined;
    throw isPlaced ? error : new ManifestProblem(error.message, place);
  }
}
