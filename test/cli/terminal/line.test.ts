import { expect, it } from 'vitest';
import { clip, plainText, widthOf } from '../../../src/cli/terminal/line.ts';

it.each([
  ['job-1', 5],
  ['訓練', 4],
  ['한국', 4],
  ['🚀', 2],
  ['✅⚡⭐', 6],
])('%s takes the columns that a terminal draws', (text, columns) => {
  expect(widthOf([text])).toBe(columns);
});

it('a line is cut to the columns, within a wide character, too', () => {
  expect(plainText(clip(['✅✅✅'], 4))).toBe('✅…');
  expect(plainText(clip(['abc'], 3))).toBe('abc');
});
