import { expect, it } from 'vitest';
import { watchRequestOf } from '../../../src/commands/watch/request.ts';

const request = (options: Readonly<Record<string, string | true>>, ...positionals: readonly string[]) =>
  watchRequestOf({ options, positionals, problems: [] });

it.each([
  ['nothing', {}, [], 13_135, []],
  ['a port', {}, ['8080', 'a.json'], 8080, ['a.json']],
  ['a free port', {}, ['0'], 0, []],
  ['a file', {}, ['a.json'], 13_135, ['a.json']],
  ['a file whose name is a number', {}, ['./8080'], 13_135, ['./8080']],
  ['--port and a file with the name of a number', { port: '80' }, ['8080'], 80, ['8080']],
  ['a number that is no port', {}, ['99999'], 13_135, ['99999']],
])('--serve takes %s', (_what, options, positionals, port, files) => {
  expect(request({ serve: true, ...options }, ...positionals)).toEqual({ port, files, problems: [] });
});

it('a number without --serve is a file', () => {
  expect(request({}, '8080').files).toEqual(['8080']);
});
