import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { firstDifference, generatedFiles } from '../../../tools/generate/files.ts';

it.each(generatedFiles.map((file) => [file.path, file] as const))('%s is up to date', (path, { render }) => {
  const current = readFileSync(path, 'utf8');
  expect(firstDifference(current, render(current))).toBeUndefined();
});

it.each([
  ['a\nb\nc', 'a\nx\nc', { line: 2, current: 'b', expected: 'x' }],
  ['a', 'a\nb', { line: 2, current: '(end of file)', expected: 'b' }],
  ['a\nb', 'a', { line: 2, current: 'b', expected: '(end of file)' }],
  ['a', 'a', undefined],
])('finds where %j and %j part', (current, expected, difference) => {
  expect(firstDifference(current, expected)).toEqual(difference);
});
