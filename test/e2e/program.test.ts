import { expect, it } from 'vitest';
import { startProgram } from './program.ts';

const isRunning = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

it('leaves no process of a program that is not ready in time', async () => {
  const starting = startProgram({
    program: process.execPath,
    args: ['-e', 'console.log(process.pid); setInterval(() => undefined, 1_000)'],
    // It has said its id, and is never ready.
    isReady: async () => false,
    readyWithinMs: 2_000,
  });
  const reason = await starting.then(
    () => '',
    (error: Error) => error.message,
  );
  const [, pid] = /it said: (\d+)/.exec(reason) ?? [];
  expect(reason).toContain('to be ready');
  expect(isRunning(Number(pid))).toBe(false);
});
