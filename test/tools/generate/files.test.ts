import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { firstDifference, generatedFiles } from '../../../tools/generate/files.ts';

it.each(generatedFiles.map((file) => [file.path, file] as const))('%s is up to date', (path, { render }) => {
  const present = readFileSync(path, 'utf8');
  expect(firstDifference(present, render(present))).toBeUndefined();
});

it.each([
  ['a\nb\nc', 'a\nx\nc', { line: 2, present: 'b', expected: 'x' }],
  ['a', 'a\nb', { line: 2, present: '(end of file)', expected: 'b' }],
  ['a\nb', 'a', { line: 2, present: 'b', expected: '(end of file)' }],
  ['a', 'a', undefined],
])('finds where %j and %j part', (present, expected, difference) => {
  expect(firstDifference(present, expected)).toEqual(difference);
});
