import { describe, expect, it } from 'vitest';
import { applySnapshot, applyTime, endRun } from '../../src/run/advance.ts';
import type { PollTime, RunEvent, RunPolicy } from '../../src/run/run.ts';
import { interpret } from '../../src/snapshot/interpret.ts';
import { exampleFile, type FileOverrides } from '../support/file.ts';
import { snapshotOf } from '../support/snapshot.ts';

const policy: RunPolicy = {
  staleAfterMs: 300_000,
  stallAfterMs: 600_000,
  maxExtraMetrics: 50,
  rank: undefined,
};
const startedMonotonicMs = 1_000_000;
/** A poll so many seconds after the start of the bridge, of a file of that age. */
const at = (seconds: number, fileAgeSeconds: number): PollTime => ({
  unixMs: 1_700_000_000_000 + seconds * 1000,
  monotonicMs: startedMonotonicMs + seconds * 1000,
  fileAgeMs: fileAgeSeconds * 1000,
  startedMonotonicMs,
});
const snapshot = (overrides?: FileOverrides) => snapshotOf(interpret(exampleFile(overrides)));
const kinds = (events: readonly RunEvent[]) => events.map(({ kind }) => kind);

describe('a file that was written more than 60 s before the bridge started', () => {
  const left = (overrides?: FileOverrides) =>
    applySnapshot(undefined, snapshot(overrides), at(5, 66), policy).run;

  it.each(['running', 'completed', 'failed', undefined])('with status %s is waited for', (status) => {
    const { run, events } = applySnapshot(undefined, snapshot({ top: { status } }), at(5, 66), policy);
    expect(kinds(events)).toEqual(['earlier_run']);
    expect(run).toMatchObject({ state: 'waiting', fresh: true, progress: { batches: undefined } });
  });

  it('is one of the present run from 60 s on', () => {
    const { run, events } = applySnapshot(undefined, snapshot(), at(5, 65), policy);
    expect(kinds(events)).toEqual(['run_began']);
    expect(run?.state).toBe('running');
  });

  it('never stalls and ends nothing; its gauges become stale', () => {
    const later = applyTime(left(), at(86_400, 86_461), policy);
    expect(later).toMatchObject({
      run: { state: 'waiting', fresh: false },
      events: [{ kind: 'went_stale' }],
    });
    expect(later.run && endRun(later.run, 'stopped').events).toEqual([]);
  });

  it('has stale gauges from the beginning if it is old enough', () => {
    const { run, events } = applySnapshot(undefined, snapshot(), at(5, 86_400), policy);
    expect(run?.fresh).toBe(false);
    expect(kinds(events)).toEqual(['earlier_run']);
  });

  it.each([
    [
      'another run',
      { job: { start_time: '2025-10-24T10:15:00Z' }, metrics: { epoch: 1, batch_number: 1 } },
      1,
    ],
    ['the same run', { metrics: { batch_number: 46 } }, 46],
  ])('is replaced by %s, which begins then', (_name, overrides, batches) => {
    const { run, events } = applySnapshot(left(), snapshot(overrides), at(30, 1), policy);
    expect(kinds(events)).toEqual(['run_began']);
    expect(run).toMatchObject({ state: 'running', previousRuns: [], progress: { batches } });
  });

  it('belongs to the present run once it is written again with the same content', () => {
    expect(applyTime(left(), at(30, 91), policy).events).toEqual([]);
    const { run, events } = applyTime(left(), at(30, 1), policy);
    expect(kinds(events)).toEqual(['run_began']);
    expect(run).toMatchObject({ state: 'running', progress: { batches: 45 } });
  });
});

it('a run stalls at the earliest STALL_AFTER after the start of the bridge', () => {
  const { run } = applySnapshot(undefined, snapshot(), at(5, 60), policy);
  expect(applyTime(run, at(599, 654), policy).run?.state).toBe('running');
  expect(applyTime(run, at(600, 655), policy).run?.state).toBe('stalled');
});

it('a run is over from the first snapshot that says so, until one says otherwise', () => {
  const over = (status: string | undefined, batch_number: number) =>
    snapshot({ top: { status }, metrics: { batch_number } });
  const first = applySnapshot(undefined, over('failed', 1), at(10, 0), policy).run;
  const second = applySnapshot(first, over('failed', 2), at(20, 0), policy).run;
  const third = applySnapshot(second, over('running', 3), at(30, 0), policy).run;
  expect([first, second, third].map((run) => run?.overMonotonicMs)).toEqual([
    1_010_000,
    1_010_000,
    undefined,
  ]);
});
