import { expect, it } from 'vitest';
import { cpuMsOf, memoryOf, readSchedstat, readSmapsRollup } from '../../bench/support/process.ts';

const smapsRollup = `565161bd9000-7fff605bb000 ---p 00000000 00:00 0                          [rollup]
Rss:                1752 kB
Pss:                 211 kB
Pss_Anon:            116 kB
Private_Dirty:       116 kB
Anonymous:           112 kB
AnonHugePages:         0 kB
`;

it('reads memory, and not its neighbours in the list', () => {
  expect(readSmapsRollup(smapsRollup)).toEqual({ rss: 1752 * 1024, anonymous: 112 * 1024 });
});

it('refuses what has no memory in it', () => {
  expect(() => readSmapsRollup('')).toThrow('no Rss');
});

it('reads CPU time', () => {
  expect(readSchedstat('2500000 539351 2\n')).toBe(2.5);
  expect(() => readSchedstat('')).toThrow('cannot be read');
});

it.runIf(process.platform === 'linux')('finds both of a real process', () => {
  expect(memoryOf(process.pid).rss).toBeGreaterThan(memoryOf(process.pid).anonymous);
  const before = cpuMsOf(process.pid);
  for (let spin = performance.now(); performance.now() - spin < 20; );
  expect(cpuMsOf(process.pid)).toBeGreaterThan(before);
});
