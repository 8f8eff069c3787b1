import { expect, it } from 'vitest';
import { readSize } from '../../bench/support/docker.ts';

it.each([
  ['0B', 0],
  ['512KiB', 524_288],
  ['1.5MiB', 1_572_864],
  ['1GiB', 1_073_741_824],
])('reads %s', (text, bytes) => {
  expect(readSize(text)).toBe(bytes);
});

it.each(['', '--', '5', '5kB'])('refuses %j', (text) => {
  expect(() => readSize(text)).toThrow('is not a size');
});
