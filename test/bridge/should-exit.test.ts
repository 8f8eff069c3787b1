import { expect, it } from 'vitest';
import { type ExitInput, outlivesRun, shouldExit } from '../../src/bridge/should-exit.ts';
import type { Run } from '../../src/run/run.ts';

const container = {
  sidecarMode: 'container',
  exitAfterStaleMs: 600_000,
  exitAfterFailedMs: 120_000,
} as const;
const runThatIs = (state: Run['state']) => ({ state }) as Run;
const input: ExitInput = { run: undefined, fileAgeMs: undefined, startedMs: 5_000, monotonicMs: 6_000 };

it('a run that has completed ends a plain container', () => {
  expect(shouldExit({ ...input, run: runThatIs('completed'), fileAgeMs: 0 }, container)).toBe(
    'the run has completed',
  );
});

it('a run that has failed does so when no other has begun for a while', () => {
  const run: Run = { ...runThatIs('failed'), overMonotonicMs: 10_000 };
  const at = (monotonicMs: number) => shouldExit({ ...input, run, fileAgeMs: 0, monotonicMs }, container);
  expect(at(129_999)).toBeUndefined();
  expect(at(130_000)).toMatch(/EXIT_AFTER_FAILED, 120 s/);
});

it('a file of an earlier run does not', () => {
  expect(
    shouldExit({ ...input, run: runThatIs('waiting'), fileAgeMs: 86_400_000 }, container),
  ).toBeUndefined();
});

it.each(['running', 'stalled'] as const)('a run that is %s does not, while the file is written', (state) => {
  const run = runThatIs(state);
  expect(
    shouldExit({ ...input, run, fileAgeMs: 599_999, monotonicMs: 1_000_000 }, container),
  ).toBeUndefined();
  expect(shouldExit({ ...input, run, fileAgeMs: 600_000, monotonicMs: 1_000_000 }, container)).toMatch(
    /EXIT_AFTER_STALE, 600 s/,
  );
});

it('an old file counts from the start of the bridge', () => {
  expect(shouldExit({ ...input, fileAgeMs: 86_400_000 }, container)).toBeUndefined();
  expect(shouldExit({ ...input, fileAgeMs: 86_400_000, monotonicMs: 605_000 }, container)).toBeDefined();
});

it('so does a file that never comes', () => {
  expect(shouldExit({ ...input, monotonicMs: 604_999 }, container)).toBeUndefined();
  expect(shouldExit({ ...input, monotonicMs: 605_000 }, container)).toBeDefined();
});

it('a bridge of unknown mode outlives its run 10 minutes after the end', () => {
  const run: Run = { ...runThatIs('completed'), overMonotonicMs: 10_000 };
  const outlives = (monotonicMs: number, sidecarMode?: 'native' | 'container') =>
    outlivesRun({ run, monotonicMs }, { sidecarMode });
  expect(outlives(609_999)).toBe(false);
  expect(outlives(610_000)).toBe(true);
  expect(outlives(610_000, 'native')).toBe(false);
  expect(outlives(610_000, 'container')).toBe(false);
  expect(outlivesRun({ run: undefined, monotonicMs: 1e9 }, { sidecarMode: undefined })).toBe(false);
});

it('a native sidecar never exits by itself', () => {
  const native = { ...container, sidecarMode: 'native' } as const;
  expect(
    shouldExit({ ...input, run: runThatIs('completed'), fileAgeMs: 1e9, monotonicMs: 1e9 }, native),
  ).toBeUndefined();
});
