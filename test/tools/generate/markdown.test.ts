import { expect, it } from 'vitest';
import { code, codes, markdownTable, prose } from '../../../tools/generate/markdown.ts';

it.each([
  ['one of a|b', 'one of a\\|b'],
  ['a * b * c', 'a \\* b \\* c'],
  ['the field global_step', 'the field global_step'],
  ['_this_ is no emphasis', '\\_this\\_ is no emphasis'],
  ['`x` [y](z)', '\\`x\\` \\[y\\](z)'],
  ['<b> & c', '&lt;b> &amp; c'],
  ['two\nlines', 'two lines'],
])('shows %j as it is written', (text, cell) => {
  expect(prose(text)).toBe(cell);
});

it.each([
  ['loss', '`loss`'],
  ['a|b', '`a\\|b`'],
  ['a `b`', '`` a `b` ``'],
  ['', '–'],
])('shows %j as code', (text, cell) => {
  expect(code(text)).toBe(cell);
});

it('joins several', () => {
  expect(codes(['A', 'B'], ', else ')).toBe('`A`, else `B`');
  expect(codes([])).toBe('–');
});

it('draws a table', () => {
  expect(markdownTable(['A', 'B'], [['1', '2']])).toBe('| A | B |\n| --- | --- |\n| 1 | 2 |');
});
