import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parsePythonJson } from '../../src/snapshot/parse.ts';
import { pythonJson } from '../support/file.ts';

const parse = (text: string | Uint8Array) =>
  parsePythonJson(typeof text === 'string' ? Buffer.from(text) : text);

describe('JSON as Python writes it', () => {
  it.each([
    ['{"a": 1, "b": [true, null]}', { a: 1, b: [true, null] }],
    ['\uFEFF{"a": 1}', { a: 1 }],
    ['{\r\n  "a": 1\r\n}\r\n', { a: 1 }],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ['{"a": NaN, "b": Infinity, "c": -Infinity}', { a: 'NaN', b: 'Infinity', c: '-Infinity' }],
    ['[NaN,NaN]', ['NaN', 'NaN']],
    ['{"NaN": "say \\"NaN\\" or -Infinity", "x": NaN}', { NaN: 'say "NaN" or -Infinity', x: 'NaN' }],
    ['{"a": "back\\\\", "b": NaN}', { a: 'back\\', b: 'NaN' }],
    ['{"a": 1e400}', { a: Number.POSITIVE_INFINITY }],
    ['{"job_id": 1234567890123456789}', { job_id: '1234567890123456789' }],
    ['{"dataset": 9007199254740993, "a": NaN}', { dataset: '9007199254740993', a: 'NaN' }],
    ['{"model_name" :\n -12345678901234567\n}', { model_name: '-12345678901234567' }],
    ['{"job_id": 4711, "a": 1234567890123456789}', { job_id: 4711, a: 1234567890123456800 }],
    ['{"a": "{\\"job_id\\": 1234567890123456789}"}', { a: '{"job_id": 1234567890123456789}' }],
    ['{"job_id": 1234567890123456.5}', { job_id: 1234567890123456.5 }],
  ])('%s', (text, value) => {
    expect(parse(text)).toEqual({ status: 'ok', value });
  });

  it.each([
    ['half a file', '{"training_metrics": {"epoch": 3, "tra'],
    ['half a file with NaN', '{"training_metrics": {"training_loss": NaN, "tra'],
    ['nothing but space', '  \n'],
    ['no JSON', 'epoch=3'],
    ['trailing garbage', '{"a": 1} {"b": 2}'],
    ['an unfinished string of escapes', `{"NaN": NaN, "${'\\"'.repeat(10_000)}`],
    ['bare words glued together', '{"a": NaNNaN}'],
    ['a minus before NaN', '{"a": -NaN}'],
  ])('refuses %s', (_name, text) => {
    expect(parse(text)).toMatchObject({ status: 'malformed', reason: expect.stringMatching(/./) });
  });

  it('refuses what is not UTF-8, and UTF-16', () => {
    expect(parse(Buffer.from([0x7b, 0xff, 0x7d]))).toEqual({ status: 'malformed', reason: 'not UTF-8 text' });
    expect(parse(Buffer.from('\uFEFF{"a":1}', 'utf16le')).status).toBe('malformed');
  });

  it('survives the deepest nesting that fits', () => {
    expect(parse('['.repeat(1_000_000)).status).toBe('malformed');
    expect(parse(`${'['.repeat(400_000)}NaN${']'.repeat(400_000)}`).status).toMatch(/ok|malformed/);
  });

  it('takes time linear in the text, also where quotes are hostile', () => {
    const time = (size: number) => {
      const text = Buffer.from(`[NaN, "${'\\"'.repeat(size)}`);
      const start = performance.now();
      parse(text);
      return performance.now() - start;
    };
    time(1_000);
    // Quadratic, this would take minutes and run into the test's time limit.
    time(400_000);
  });

  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(parse(bytes).status).toMatch(/ok|malformed/);
      }),
      { numRuns: 2000 },
    );
  });

  it('gives back every value that Python can write', () => {
    const number = fc.double({ noDefaultInfinity: false, noNaN: false });
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.oneof(number, fc.string(), fc.boolean(), fc.constant(null))),
        (value) => {
          const expected = Object.fromEntries(
            Object.entries(value).map(([key, item]) => {
              const isBare = typeof item === 'number' && !Number.isFinite(item);
              return [key, isBare ? String(item) : Object.is(item, -0) ? 0 : item];
            }),
          );
          expect(parse(pythonJson({ ...value }))).toEqual({ status: 'ok', value: expected });
        },
      ),
      { numRuns: 1000 },
    );
  });
});
