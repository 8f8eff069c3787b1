import { expect, it } from 'vitest';
import { readOptions } from '../../bench/support/options.ts';

it('takes what is given and keeps the rest', () => {
  expect(readOptions({ rounds: 3, seconds: 60 }, ['--seconds', '0.5'])).toEqual({ rounds: 3, seconds: 0.5 });
});

it.each([[['--rounds', '0']], [['--rounds', 'many']], [['--unknown', '1']]])('refuses %j', (args) => {
  expect(() => readOptions({ rounds: 3 }, args)).toThrow();
});
