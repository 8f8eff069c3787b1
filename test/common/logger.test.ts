import { expect, it } from 'vitest';
import { createLogger } from '../../src/common/logger.ts';

function logAt(level: Parameters<typeof createLogger>[0]) {
  const lines: string[] = [];
  const log = createLogger(level, { write: (line) => lines.push(line) });
  return { log, lines, parsed: () => lines.map((line) => JSON.parse(line)) };
}

it('writes a line of JSON: level, time, details, message', () => {
  const { log, lines } = logAt('info');
  log.info({ path: '/a\n"b"' }, 'read');
  log.warn('no details');
  expect(lines).toEqual([
    expect.stringMatching(
      /^\{"level":"info","time":"[-\d]+T[\d:.]+Z","path":"\/a\\n\\"b\\"","message":"read"\}\n$/,
    ),
    expect.stringMatching(/^\{"level":"warn","time":"[^"]+","message":"no details"\}\n$/),
  ]);
});

it.each([
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['warn', ['warn', 'error']],
  ['critical', []],
] as const)('at %s writes %j', (level, written) => {
  const { log, parsed } = logAt(level);
  for (const name of ['debug', 'info', 'warn', 'error'] as const) log[name](name);
  expect(parsed().map((line) => line.level)).toEqual(written);
});

it('tells of an error what caused it and where, whatever it carries', () => {
  const { log, parsed } = logAt('info');
  const error: Error & { self?: unknown } = new TypeError('outer', { cause: new Error('inner') });
  error.self = error;
  log.error({ err: error }, 'failed');
  log.error({ err: 'not even an error' }, 'failed');
  expect(parsed()).toMatchObject([
    {
      err: {
        type: 'TypeError',
        message: 'outer: inner',
        stack: expect.stringMatching(/logger\.test[\s\S]*inner/),
      },
    },
    { err: 'not even an error' },
  ]);
});
