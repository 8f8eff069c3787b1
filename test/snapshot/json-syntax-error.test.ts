import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { locateJsonSyntaxError } from '../../src/snapshot/json-syntax-error.ts';
import { parsePythonJson } from '../../src/snapshot/parse.ts';
import { exampleText, pythonJson } from '../support/file.ts';

const faultOf = (text: string | Uint8Array) =>
  locateJsonSyntaxError(typeof text === 'string' ? Buffer.from(text) : text);

describe('a fault', () => {
  it.each([
    ['', 0, 'the file contains only white space'],
    [' \n', 0, 'the file contains only white space'],
    ['{"a": 1,', 8, /^the file ends before an object is closed: .*half-written.*rename/],
    ['{"a": [1', 8, /^the file ends before a list is closed/],
    ['{"a": "x', 8, /^the file ends inside a string/],
    ['{"a": "x\\', 9, /^the file ends inside a string/],
    ['{"a": "\\u12', 11, /^the file ends inside a string/],
    ['{"a": tr', 6, 'a value is expected, not tr'],
    ['{"a": 1, }', 7, 'unexpected comma'],
    ['{"a": 1,, "b": 2}', 7, 'unexpected comma'],
    ['{"a": 1}}', 8, 'unexpected }'],
    ['[1,]', 2, 'unexpected comma'],
    ['{"a": }', 6, 'a value is missing before }'],
    ['{"a" 1}', 5, 'a colon is expected here, after the name'],
    ['{"a": 1\n "b": 2}', 7, 'a comma is missing here'],
    ['{"a": 1; "b": 2}', 7, 'a comma or } is expected, not ;'],
    ['{"a": 01}', 7, 'a comma is missing here'],
    ["{'a': 1}", 1, /^names must be in double quotes: .*json\.dumps/],
    ['{"a": \'x\'}', 6, /^text must be in double quotes/],
    ['{a: 1}', 1, 'a name in double quotes is expected, not a'],
    ['{"a": True}', 6, 'True is written true in JSON, as json.dumps(data) does'],
    ['{"a": None}', 6, 'None is written null in JSON, as json.dumps(data) does'],
    ['{"a": nan}', 6, 'nan is written NaN in JSON, as json.dumps(data) does'],
    ['{"a": tensor(0.5)}', 6, 'tensor(…) is not a number: write its .item()'],
    ['{"a": .5}', 6, 'in JSON, a number cannot start with .'],
    ['{"a": "x\ny"}', 8, /^a string contains an unescaped line break/],
    ['{"a": "C:\\data"}', 9, '\\d is not an escape sequence in JSON: write a backslash as \\\\'],
    ['{"a": 1} {"b": 2}', 9, /^the object that began with the first { ends before this: .*second writer/],
    ['epoch=3', 0, 'a JSON object, {…}, is expected, not epoch'],
    ['{"a": NaN, "b": -NaN}', 16, '-NaN is written NaN in JSON, as json.dumps(data) does'],
    ['{"a":\u00a01}', 5, 'a value is expected, not U+00A0'],
    ['{\u0000"\u0000', 1, /UTF-16/],
  ])('in %j is at %i', (text, offset, message) => {
    const expected = typeof message === 'string' ? message : expect.stringMatching(message);
    expect(faultOf(text)).toMatchObject({ offset, message: expected });
  });

  it('is a byte that is no text', () => {
    expect(faultOf(Buffer.from([0x7b, 0xc3, 0xa9, 0xff, 0x7d]))).toMatchObject({
      offset: 2,
      message: 'byte 0xff is not UTF-8: write the file with encoding="utf-8"',
    });
    expect(faultOf(Buffer.from('\uFEFF{"a":1}', 'utf16le'))).toMatchObject({
      offset: 0,
      message: 'this is UTF-16: write the file with encoding="utf-8"',
    });
  });

  it('is found at any depth and length', () => {
    expect(faultOf('['.repeat(1_000_000))?.offset).toBe(1_000_000);
    expect(faultOf(`["${'\\"'.repeat(400_000)}`)?.offset).toBe(800_002);
  });
});

describe('there is a fault exactly where the parser refuses', () => {
  const agree = (text: string | Uint8Array) => {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text;
    expect(locateJsonSyntaxError(bytes) !== undefined, String(text)).toBe(
      parsePythonJson(bytes).status === 'malformed',
    );
  };

  it('in every beginning of a file', () => {
    const text = `\uFEFF${exampleText({ metrics: { training_loss: Number.NaN } })}`;
    for (let length = 0; length <= text.length; length++) agree(text.slice(0, length));
  });

  it('whatever is put in, taken out or replaced', () => {
    const pieces = fc.constantFrom(
      ...'{}[]:,"\'\\-+.eE019 \n\u0000NaN',
      'NaN',
      'Infinity',
      '-Infinity',
      'null',
      'true',
      '\\u00e9',
      '\\x',
    );
    const document = fc.jsonValue().map((value) => pythonJson(value));
    fc.assert(
      fc.property(
        document,
        fc.nat(),
        fc.nat({ max: 2 }),
        fc.array(pieces, { maxLength: 3 }),
        (text, where, out, put) => {
          const at = where % (text.length + 1);
          agree(text.slice(0, at) + put.join('') + text.slice(at + out));
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('in any sequence of tokens and any bytes', () => {
    const token = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ':',
      ',',
      '"a"',
      '1',
      '-',
      'NaN',
      '-Infinity',
      'null',
      ' ',
      '"',
    );
    fc.assert(
      fc.property(fc.array(token, { maxLength: 12 }), (tokens) => agree(tokens.join(''))),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => agree(bytes)),
      { numRuns: 2000 },
    );
  });
});
