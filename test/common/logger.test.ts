import { describe, expect, it } from 'vitest';
import { createConditions, createLogger } from '../../src/common/logger.ts';

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

describe('a condition', () => {
  function setUp() {
    const { log, parsed } = logAt('info');
    let nowMs = 0;
    const conditions = createConditions(log, () => nowMs);
    return {
      conditions,
      raise: (name = 'bad') => conditions.raise(name, 'warn', {}, `${name} began`),
      clear: () => conditions.clear('bad', 'bad is over', {}),
      pass: (seconds: number) => {
        nowMs += seconds * 1000;
        conditions.flush();
      },
      lines: () => parsed().map(({ level: _, time: __, ...line }) => line),
    };
  }

  it('is logged when it begins and when it is over, at once', () => {
    const { raise, clear, pass, lines } = setUp();
    for (let turn = 0; turn < 5; turn++) {
      raise();
      raise();
      clear();
      clear();
      pass(60);
    }
    expect(lines()).toEqual(
      Array(5)
        .fill([{ message: 'bad began' }, { times: 2, message: 'bad is over' }])
        .flat(),
    );
  });

  it('that begins and ends every second is two lines a minute, with the number of changes', () => {
    const { raise, clear, pass, lines } = setUp();
    for (let second = 0; second < 120; second++) {
      if (second % 2 === 0) raise();
      else clear();
      pass(1);
    }
    expect(lines()).toEqual([
      { message: 'bad began' },
      { times: 1, message: 'bad is over' },
      { changes: 59, message: 'bad began' },
      { times: 30, message: 'bad is over' },
    ]);
  });

  it('is logged after a minute at the latest if it lasts, and its end, too', () => {
    const { raise, clear, pass, lines } = setUp();
    raise();
    clear();
    pass(1);
    raise();
    pass(58);
    expect(lines()).toHaveLength(2);
    pass(1);
    expect(lines().slice(2)).toEqual([{ message: 'bad began' }]);
    clear();
    pass(0);
    expect(lines().slice(3)).toEqual([{ times: 1, message: 'bad is over' }]);
    raise();
    clear();
    pass(120);
    expect(lines()).toHaveLength(4);
  });

  it('that takes turns with another one is not logged at each turn', () => {
    const { conditions, raise, pass, lines } = setUp();
    for (let second = 0; second < 60; second += 2) {
      conditions.replace('worse');
      raise();
      pass(1);
      conditions.replace('bad');
      raise('worse');
      pass(1);
    }
    expect(lines()).toMatchObject([{ message: 'bad began' }, { message: 'worse began' }]);
  });

  it('of another subject is logged at once', () => {
    const { conditions, raise, lines } = setUp();
    raise();
    conditions.discard('b');
    raise();
    expect(lines()).toHaveLength(2);
  });
});
