/**
 * A second reading of the metrics file, which shares nothing with the bridge's own: what the bridge exports is held
 * against it. JSON as RFC 8259 has it, with bare NaN and infinities in place of values and (as the bridge has it) names.
 */
export type Json =
  | { readonly kind: 'number'; readonly value: number; readonly digits: string }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'object'; readonly members: ReadonlyMap<string, Json> }
  | { readonly kind: 'array' | 'other' };

type Open =
  | { readonly kind: 'object'; readonly members: Map<string, Json>; name: string | undefined }
  | { readonly kind: 'array' };

const space = /[ \t\n\r]*/y;
const string = /"([^"\\\u0000-\u001f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\u0000-\u001f]*)*)"/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const nonFinite = /-?Infinity|NaN/y;
const word = /true|false|null/y;

/** The document; undefined where the bytes are none. Its own stack, because files may be nested deeper than the engine's. */
export function readJson(bytes: Uint8Array): Json | undefined {
  const text = decode(bytes);
  if (text === undefined) return undefined;
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at = pattern.lastIndex;
    return found;
  };
  const skip = (character: string): boolean => {
    take(space);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const name = (): string | undefined => {
    take(space);
    const quoted = take(string);
    const read = quoted === undefined ? take(nonFinite) : unquote(quoted);
    return read !== undefined && skip(':') ? read : undefined;
  };

  const stack: Open[] = [];
  for (;;) {
    take(space);
    let done: Json | undefined;
    if (skip('{')) {
      const members = new Map<string, Json>();
      if (skip('}')) done = { kind: 'object', members };
      else {
        const first = name();
        if (first === undefined) return undefined;
        stack.push({ kind: 'object', members, name: first });
        continue;
      }
    } else if (skip('[')) {
      if (skip(']')) done = { kind: 'array' };
      else {
        stack.push({ kind: 'array' });
        continue;
      }
    } else done = scalar(take);
    if (done === undefined) return undefined;

    // Closes what this value was the last of.
    for (;;) {
      const open = stack.at(-1);
      if (open === undefined) {
        take(space);
        return at === text.length ? done : undefined;
      }
      if (open.kind === 'object') open.members.set(open.name as string, done);
      if (skip(',')) {
        if (open.kind === 'object') {
          open.name = name();
          if (open.name === undefined) return undefined;
        }
        break;
      }
      if (!skip(open.kind === 'object' ? '}' : ']')) return undefined;
      stack.pop();
      done = open.kind === 'object' ? { kind: 'object', members: open.members } : { kind: 'array' };
    }
  }
}

function scalar(take: (pattern: RegExp) => string | undefined): Json | undefined {
  const quoted = take(string);
  if (quoted !== undefined) return { kind: 'text', value: unquote(quoted) };
  const bare = take(nonFinite);
  if (bare !== undefined) return { kind: 'text', value: bare };
  const digits = take(number);
  if (digits !== undefined) return { kind: 'number', value: Number.parseFloat(digits), digits };
  return take(word) === undefined ? undefined : { kind: 'other' };
}

const controls: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(/\\(?:u([0-9a-fA-F]{4})|(.))/g, (_, hex: string | undefined, character: string) =>
      hex === undefined ? (controls[character] ?? character) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}

/** Strict UTF-8 (RFC 3629) by decoding and encoding again: what is no UTF-8 does not come out as it went in. */
function decode(bytes: Uint8Array): string | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString('utf8');
  if (!Buffer.from(text, 'utf8').equals(buffer)) return undefined;
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
