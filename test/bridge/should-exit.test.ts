import { expect, it } from 'vitest';
import { type ExitInput, shouldExit } from '../../src/bridge/should-exit.ts';
import type { Run } from '../../src/run/run.ts';

const container = { sidecarMode: 'container', exitAfterStaleMs: 600_000 } as const;
const runThatIs = (state: Run['state']) => ({ state }) as Run;
const input: ExitInput = { run: undefined, fileAgeMs: undefined, uptimeMs: 1_000 };

it.each(['completed', 'failed'] as const)('a run that has %s ends a plain container', (state) => {
  expect(shouldExit({ ...input, run: runThatIs(state), fileAgeMs: 0 }, container)).toBe(
    `the run has ${state}`,
  );
});

it.each(['running', 'stalled'] as const)('a run that is %s does not, while the file is written', (state) => {
  const run = runThatIs(state);
  expect(shouldExit({ run, fileAgeMs: 599_999, uptimeMs: 1_000_000 }, container)).toBeUndefined();
  expect(shouldExit({ run, fileAgeMs: 600_000, uptimeMs: 1_000_000 }, container)).toMatch(
    /EXIT_AFTER_STALE, 600 s/,
  );
});

it('an old file counts from the start of the bridge', () => {
  expect(shouldExit({ ...input, fileAgeMs: 86_400_000 }, container)).toBeUndefined();
  expect(shouldExit({ ...input, fileAgeMs: 86_400_000, uptimeMs: 600_000 }, container)).toBeDefined();
});

it('so does a file that never comes', () => {
  expect(shouldExit({ ...input, uptimeMs: 599_999 }, container)).toBeUndefined();
  expect(shouldExit({ ...input, uptimeMs: 600_000 }, container)).toBeDefined();
});

it('a native sidecar never exits by itself', () => {
  const native = { ...container, sidecarMode: 'native' } as const;
  expect(shouldExit({ run: runThatIs('completed'), fileAgeMs: 1e9, uptimeMs: 1e9 }, native)).toBeUndefined();
});
