import { expect, it } from 'vitest';
import { formatProgress } from '../../../src/cli/terminal/format.ts';

it.each([
  [0, undefined, '0.0 %'],
  [0.3429, 9 * 3_600_000, '34.2 %, about 9 hours left'],
  [0.99999, 4000, '99.9 %, about 4 seconds left'],
  [1, 0, '100.0 %, about 0 seconds left'],
])('progress %d with %s ms left', (share, remainingMs, expected) => {
  expect(formatProgress(share, remainingMs)).toBe(expected);
});
