export type JsonParseResult =
  | { readonly status: 'ok'; readonly value: unknown }
  | { readonly status: 'malformed'; readonly reason: string };

/**
 * Parses JSON as Python's `json.dumps` writes it: JSON in which `NaN`, `Infinity` and `-Infinity` may stand without
 * quotes. These become strings of the same spelling, as do identifiers of 16 digits and more. A byte order mark is
 * skipped. Never throws.
 */
export function parsePythonJson(bytes: Uint8Array): JsonParseResult {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { status: 'malformed', reason: 'not UTF-8 text' };
  }
  try {
    // Nearly every file is valid JSON. The second attempt needs a copy of the text, so it is made only where it can help.
    return { status: 'ok', value: JSON.parse(keepDigits(text)) };
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) return malformed(error);
  }
  try {
    return { status: 'ok', value: JSON.parse(quoteNonFinite(keepDigits(text))) };
  } catch (error) {
    return malformed(error);
  }
}

/** Fields that are text, and that people also write as numbers. In valid JSON, such a name never stands inside a string. */
const longIdentifier = /("(?:job_id|model_name|dataset)"\s*:\s*)(-?[1-9]\d{15,})(?=\s*[,}])/g;

/** Makes an identifier of more digits than a double holds text: as a number, it would become that of another job. */
const keepDigits = (text: string): string => text.replace(longIdentifier, '$1"$2"');

function malformed(error: unknown): JsonParseResult {
  const message = error instanceof Error ? error.message : String(error);
  return { status: 'malformed', reason: message };
}

/** Puts quotes around NaN, Infinity and -Infinity wherever they stand outside a string. One pass, linear in the text. */
function quoteNonFinite(text: string): string {
  const stringOrNonFinite = /"|-?Infinity|NaN/g;
  let result = '';
  let copied = 0;
  for (let match = stringOrNonFinite.exec(text); match !== null; match = stringOrNonFinite.exec(text)) {
    if (match[0] === '"') {
      stringOrNonFinite.lastIndex = endOfString(text, match.index);
      continue;
    }
    result += `${text.slice(copied, match.index)}"${match[0]}"`;
    copied = match.index + match[0].length;
  }
  return result + text.slice(copied);
}

/** Index just behind the string that opens at `start`; the end of the text where it is never closed. */
function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    const character = text[index];
    if (character === '\\') index++;
    else if (character === '"') return index + 1;
  }
  return text.length;
}
