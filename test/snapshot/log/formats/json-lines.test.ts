import { expect, it } from 'vitest';
import { decodeParts } from './support.ts';

const decode = (...parts: string[]) => decodeParts('jsonl', parts);

it('reads NaN and infinities without quotes, and empty lines', async () => {
  const { records, problems } = await decode('{"loss": NaN, "x": -Infinity}\r\n\n  \n{"a": null}\n');
  expect(records).toEqual([
    { fields: { loss: 'NaN', x: '-Infinity' }, end: 31 },
    { fields: { a: null }, end: 47 },
  ]);
  expect(problems).toEqual([]);
});

it('passes over lines that are not objects, and counts them', async () => {
  const { records, problems } = await decode('{"a": 1}\n[1]\nEpoch 1\n\0\u0001\n{"b": 2}\n');
  expect(records.map(({ fields }) => fields)).toEqual([{ a: 1 }, { b: 2 }]);
  expect(problems).toMatchObject([
    { kind: 'malformed', count: 3, message: 'a line is JSON, but not an object' },
  ]);
});

it('passes over a line that is too long, and reads the next', async () => {
  const long = `{"log_history": "${'x'.repeat(2_000_000)}"}`;
  const { records, problems } = await decode(
    long.slice(0, 1_500_000),
    `${long.slice(1_500_000)}\n{"a": 1}\n`,
  );
  expect(records).toEqual([{ fields: { a: 1 }, end: long.length + 10 }]);
  expect(problems).toMatchObject([{ kind: 'too_long', count: 1 }]);
});

it.each([
  ['{"timestamp": "2026-01-01T00:00:00Z"}', { time: 1_767_225_600_000 }],
  ['{"wall_time": 1767225600.5}', { time: 1_767_225_600_500 }],
  ['{"timestamp": 12.5}', {}],
  ['{"elapsed_time": "0:01:03"}', { elapsed: 63 }],
  ['{"elapsed_time": "1 day, 1:00:00"}', { elapsed: 90_000 }],
  ['{"elapsed_time": "2 days, 0:00:01"}', { elapsed: 172_801 }],
  ['{"elapsed_time": "1m 3s"}', { elapsed: 63 }],
  ['{"elapsed_time": "1d 2h 3m 4s"}', { elapsed: 93_784 }],
  ['{"elapsed_time": "1s"}', { elapsed: 1 }],
  ['{"elapsed_time": 2.5}', { elapsed: 2.5 }],
  ['{"elapsed_time": "soon"}', {}],
  ['{"elapsed_time": ""}', {}],
  ['{"time": 0.128}', {}],
])('times of %s', async (line, times) => {
  const { records } = await decode(`${line}\n`);
  expect(records).toEqual([{ fields: expect.anything(), end: line.length + 1, ...times }]);
});
