/** The first position at which a file is not JSON as Python writes it, described for the author of the writer. */
export interface JsonSyntaxError {
  /** What is wrong there, and how to fix it. */
  readonly message: string;
  /** Position in `text`, in UTF-16 units. */
  readonly offset: number;
  /** The file as text; invalid UTF-8 is replaced by U+FFFD. */
  readonly text: string;
}

const halfWritten = 'the file may be half-written: write it under another name, then rename it';

/**
 * Finds the first error that makes `parsePythonJson` fail; undefined if there is none. JSON.parse gives
 * only a short message, often without a position; after a NaN, the position is wrong. Never throws.
 */
export function locateJsonSyntaxError(bytes: Uint8Array): JsonSyntaxError | undefined {
  const text = new TextDecoder().decode(bytes);
  const invalidUtf8 = findInvalidUtf8(bytes);
  const error = invalidUtf8 ?? findSyntaxError(text);
  return error && { ...error, text };
}

type LocatedError = Omit<JsonSyntaxError, 'text'>;

function findInvalidUtf8(bytes: Uint8Array): LocatedError | undefined {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return undefined;
  } catch {
    const lossy = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    const again = new TextEncoder().encode(lossy);
    const at = again.findIndex((byte, index) => byte !== bytes[index]);
    const before = new TextDecoder().decode(bytes.subarray(0, Math.max(0, at)));
    const isUtf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const what = isUtf16
      ? 'this is UTF-16'
      : `byte 0x${(bytes[at] ?? 0).toString(16).padStart(2, '0')} is not UTF-8`;
    return { offset: before.length, message: `${what}: write the file with encoding="utf-8"` };
  }
}

type Expected = 'value' | 'value or end' | 'name' | 'name or end' | 'colon' | 'comma or end' | 'nothing';

/** Checks the syntax without building values. Keeps its own stack, because a file may be nested deeper than the call stack. */
function findSyntaxError(text: string): LocatedError | undefined {
  const open: ('{' | '[')[] = [];
  let expected: Expected = 'value';
  const expectedAfterValue = (): Expected => (open.length === 0 ? 'nothing' : 'comma or end');
  for (let at = 0; ; ) {
    const previousEnd = at;
    at = skipSpace(text, at);
    const character = text[at];
    const inside = open.at(-1);
    if (character === undefined) return expected === 'nothing' ? undefined : unexpectedEnd(text, inside);
    if (expected === 'nothing') return { offset: at, message: describeTrailingContent(text, at) };
    const closing = inside === '{' ? '}' : ']';
    if (expected.endsWith('end') && character === closing) {
      open.pop();
      expected = expectedAfterValue();
      at += 1;
    } else if (expected === 'comma or end') {
      if (character !== ',') return missingComma(text, at, previousEnd, closing);
      expected = inside === '{' ? 'name' : 'value';
      at += 1;
    } else if (expected === 'colon') {
      if (character !== ':') return { offset: at, message: 'a colon is expected here, after the name' };
      expected = 'value';
      at += 1;
    } else if (expected.startsWith('value') && (character === '{' || character === '[')) {
      open.push(character);
      expected = character === '{' ? 'name or end' : 'value or end';
      at += 1;
    } else {
      const isName = expected.startsWith('name');
      if (',]}'.includes(character) && previousEnd > 0 && text[previousEnd - 1] === ',')
        return { offset: previousEnd - 1, message: 'unexpected comma' };
      const token = readToken(text, at, isName);
      if (typeof token !== 'number')
        return open.length === 0 && at === token.offset ? describeNonObject(text, at, token) : token;
      expected = isName ? 'colon' : expectedAfterValue();
      at = token;
    }
  }
}

/** For a file that is not JSON at all: says that an object is expected, which helps more than the name of an invalid value. */
function describeNonObject(text: string, at: number, found: LocatedError): LocatedError {
  return text[at] === '"'
    ? found
    : { offset: at, message: `a JSON object, {…}, is expected, not ${quoted(text, at)}` };
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && ' \t\n\r'.includes(text[at] as string)) at += 1;
  return at;
}

const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
/** `parsePythonJson` puts these in quotes before it parses, so they are also accepted as names. */
const bareNonFinite = /-?Infinity|NaN/y;

/** The position after a string, number or word, or the error in it. */
function readToken(text: string, at: number, isName: boolean): number | LocatedError {
  if (text[at] === '"') return readString(text, at);
  for (const pattern of isName ? [bareNonFinite] : [bareNonFinite, scalar]) {
    pattern.lastIndex = at;
    if (pattern.test(text)) return pattern.lastIndex;
  }
  return { offset: at, message: isName ? describeInvalidName(text, at) : describeInvalidValue(text, at) };
}

function readString(text: string, start: number): number | LocatedError {
  for (let at = start + 1; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '"') return at + 1;
    if (character < ' ') {
      const message = `a string contains an unescaped ${character === '\n' ? 'line break' : 'control character'}: write the file with json.dumps, which escapes it`;
      return { offset: at, message };
    }
    if (character !== '\\') continue;
    if (at + 1 >= text.length) break;
    const sequence = /["\\/bfnrt]|u[0-9a-fA-F]{4}/y;
    sequence.lastIndex = at + 1;
    if (!sequence.test(text)) {
      if (/^u[0-9a-fA-F]{0,3}$/.test(text.slice(at + 1))) break;
      return {
        offset: at,
        message: `\\${text[at + 1]} is not an escape sequence in JSON: write a backslash as \\\\`,
      };
    }
    at = sequence.lastIndex - 1;
  }
  return { offset: text.length, message: `the file ends inside a string: ${halfWritten}` };
}

function unexpectedEnd(text: string, inside: '{' | '[' | undefined): LocatedError {
  if (text.trim() === '') return { offset: 0, message: 'the file contains only white space' };
  const what = inside === '[' ? 'a list' : 'an object';
  return { offset: text.length, message: `the file ends before ${what} is closed: ${halfWritten}` };
}

function describeTrailingContent(text: string, at: number): string {
  if (/^[}\]]\s*$/.test(text.slice(at, at + 100))) return `unexpected ${text[at]}`;
  const what = text.startsWith('{') ? 'the object that began with the first {' : 'the JSON document';
  return `${what} ends before this: the rest may be left from an earlier, longer write, or come from a second writer`;
}

/** A missing comma is reported after the value before it, which is often on the line before. */
function missingComma(text: string, at: number, previousEnd: number, closing: string): LocatedError {
  return /["{[\w-]/.test(text[at] as string)
    ? { offset: previousEnd, message: 'a comma is missing here' }
    : { offset: at, message: `a comma or ${closing} is expected, not ${quoted(text, at)}` };
}

function describeInvalidName(text: string, at: number): string {
  if (text[at] === "'")
    return 'names must be in double quotes: write the file with json.dumps(data), not str(data)';
  if (text[at] === '\u0000')
    return 'the file contains NUL characters, as in UTF-16: write it with encoding="utf-8"';
  return `a name in double quotes is expected, not ${quoted(text, at)}`;
}

const pythonWords: Readonly<Record<string, string>> = {
  True: 'true',
  False: 'false',
  None: 'null',
  nan: 'NaN',
  inf: 'Infinity',
  '-inf': '-Infinity',
  '-nan': 'NaN',
  '-NaN': 'NaN',
};

function describeInvalidValue(text: string, at: number): string {
  const word = wordAt(text, at);
  const character = text[at] as string;
  const json = Object.hasOwn(pythonWords, word) ? pythonWords[word] : undefined;
  if (json !== undefined) return `${word} is written ${json} in JSON, as json.dumps(data) does`;
  if (character === ',' || character === '}') return `a value is missing before ${character}`;
  if (character === "'")
    return 'text must be in double quotes: write the file with json.dumps(data), not str(data)';
  if (/[+.]/.test(character)) return `in JSON, a number cannot start with ${character}`;
  if (/^(tensor|array)$/.test(word)) return `${word}(…) is not a number: write its .item()`;
  return `a value is expected, not ${quoted(text, at)}`;
}

const wordAt = (text: string, at: number) => /^[\w.+-]*/.exec(text.slice(at, at + 40))?.[0] ?? '';

function quoted(text: string, at: number): string {
  const shown = wordAt(text, at).slice(0, 20) || String.fromCodePoint(text.codePointAt(at) ?? 0);
  return /[\p{C}\p{Z}]/u.test(shown)
    ? `U+${(text.codePointAt(at) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
    : shown;
}
