import { expect, it } from 'vitest';
import { readCpuSeconds, readPeakRss, runToEnd } from '../../bench/support/run-to-end.ts';

it('reads the peak of memory', () => {
  expect(readPeakRss('VmPeak:\t    9000 kB\nVmHWM:\t    1752 kB\nVmRSS:\t     800 kB\n')).toBe(1752 * 1024);
  expect(() => readPeakRss('')).toThrow('no VmHWM');
});

it('reads the CPU time of user and system, whatever the program is called', () => {
  expect(readCpuSeconds('7 (a) b 1) S 1 7 7 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 1 0 5 6 7\n')).toBe(2);
  expect(() => readCpuSeconds('7 (a) S')).toThrow('cannot be read');
});

const node = (code: string) => ({ command: process.execPath, args: ['-e', code], environment: {} });

it.runIf(process.platform === 'linux')('measures a program until it ends', async () => {
  const code =
    'const used = () => { const { user, system } = process.cpuUsage(); return user + system; }; while (used() < 300_000);';
  const { seconds, cpuSeconds, peakRss } = await runToEnd(node(code));
  expect(seconds).toBeGreaterThan(0.25);
  expect(cpuSeconds).toBeGreaterThan(0.1);
  expect(peakRss).toBeGreaterThan(20e6);
});

it('rejects if the program fails', async () => {
  await expect(runToEnd(node('process.exit(3)'))).rejects.toThrow('ended with 3');
});
