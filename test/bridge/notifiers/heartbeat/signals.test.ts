import { describe, expect, it } from 'vitest';
import {
  advanceSignals,
  type HeartbeatSignal,
  initialSignals,
} from '../../../../src/bridge/notifiers/heartbeat/signals.ts';
import { applySnapshot, applyTime, endRun } from '../../../../src/run/advance.ts';
import type { PollTime, Run, Transition } from '../../../../src/run/run.ts';
import { interpret } from '../../../../src/snapshot/interpret.ts';
import { exampleFile, type FileOverrides } from '../../../support/file.ts';
import { snapshotOf } from '../../../support/snapshot.ts';

const policy = { staleAfterMs: 300_000, stallAfterMs: 600_000, maxExtraMetrics: 50, rank: undefined };
const pollTime = (seconds: number): PollTime => ({
  unixMs: 1_700_000_000_000 + seconds * 1000,
  monotonicMs: seconds * 1000,
  fileAgeMs: 0,
});

/** What happens at a second: a snapshot with this step and these overrides, only time, or the end of the bridge. */
type Happening = readonly [seconds: number, what: number | FileOverrides | 'time' | 'SIGTERM'];

/** The signals of each second that has any, as `10 beat`. */
function signalsOf(happenings: readonly Happening[], rank?: number): readonly string[] {
  let run: Run | undefined;
  let state = initialSignals;
  const sent: string[] = [];
  const text = (signal: HeartbeatSignal) =>
    signal.kind === 'fail' ? `fail (${signal.reason})` : signal.kind;
  for (const [seconds, what] of happenings) {
    const now = pollTime(seconds);
    const transition = transitionOf(run, what, now, rank);
    run = transition.run;
    const next = advanceSignals(state, transition, now);
    state = next.state;
    sent.push(...next.signals.map((signal) => `${seconds} ${text(signal)}`));
  }
  return sent;
}

function transitionOf(
  run: Run | undefined,
  what: Happening[1],
  now: PollTime,
  rank: number | undefined,
): Transition {
  if (what === 'SIGTERM') return run === undefined ? { run, events: [] } : endRun(run, 'stopped');
  if (what === 'time') return applyTime(run, now, policy);
  const overrides = typeof what === 'number' ? { metrics: { global_step: what } } : what;
  return applySnapshot(run, snapshotOf(interpret(exampleFile(overrides))), now, { ...policy, rank });
}

const loss = (training_loss: number, global_step: number): FileOverrides => ({
  metrics: { training_loss, global_step },
});
const status = (value: string, global_step: number, more = {}): FileOverrides => ({
  top: { status: value, ...more },
  metrics: { global_step },
});

describe('signals of a run', () => {
  it('are a start, a beat at most once a minute while the step advances, and a success', () => {
    const steps = Array.from({ length: 14 }, (_, index): Happening => [index * 10, index + 1]);
    expect(signalsOf([...steps, [140, status('completed', 14)]])).toEqual([
      '0 start',
      '10 beat',
      '70 beat',
      '130 beat',
      '140 success',
    ]);
  });

  it('have no beat while the step does not advance, and one as soon as it does', () => {
    const happenings: Happening[] = [
      [0, 1],
      [10, 2],
      [100, 2],
      [200, 'time'],
      [300, 3],
    ];
    expect(signalsOf(happenings)).toEqual(['0 start', '10 beat', '300 beat']);
  });

  it('report a step that advanced within the minute after the last beat, when that is over', () => {
    const happenings: Happening[] = [
      [0, 1],
      [10, 2],
      [20, 3],
      [60, 'time'],
      [70, 'time'],
      [80, 'time'],
    ];
    expect(signalsOf(happenings)).toEqual(['0 start', '10 beat', '70 beat']);
  });

  it('are one fail for a loss that is NaN, and no beat until it is finite', () => {
    const happenings: Happening[] = [
      [0, 1],
      [100, loss(Number.NaN, 2)],
      [200, loss(Number.NaN, 3)],
      [300, loss(0.5, 4)],
    ];
    expect(signalsOf(happenings)).toEqual(['0 start', '100 fail (training_loss is NaN)', '300 beat']);
  });

  it('are at most one fail a minute for a loss that is NaN now and then', () => {
    const happenings = Array.from(
      { length: 13 },
      (_, index): Happening => [index * 10, loss(index % 2 === 1 ? Number.NaN : 0.5, index + 1)],
    );
    expect(signalsOf(happenings)).toEqual([
      '0 start',
      '10 fail (training_loss is NaN)',
      '20 beat',
      '70 fail (training_loss is NaN)',
      '80 beat',
    ]);
  });

  it('are one fail for a stall, and a beat when the step advances again', () => {
    const happenings: Happening[] = [
      [0, 1],
      [599, 'time'],
      [600, 'time'],
      [700, 'time'],
      [800, 2],
    ];
    expect(signalsOf(happenings)).toEqual([
      '0 start',
      '600 fail (The run is stalled: its step has not advanced for STALL_AFTER)',
      '800 beat',
    ]);
  });

  it('are a fail with the reason for a run that failed, and beats if the trainer goes on', () => {
    const error = { type: 'OutOfMemoryError', message: 'CUDA out of memory' };
    expect(
      signalsOf([
        [0, 1],
        [10, status('failed', 1, { error })],
        [70, status('failed', 1, { error })],
        [100, status('running', 2)],
      ]),
    ).toEqual(['0 start', '10 fail (The run failed: OutOfMemoryError: CUDA out of memory)', '100 beat']);
  });

  it('are no success for a run that completes while its loss is NaN', () => {
    const last = { top: { status: 'completed' }, metrics: { training_loss: Number.NaN, global_step: 2 } };
    const signals = signalsOf([
      [0, 1],
      [10, loss(Number.NaN, 2)],
      [20, last],
    ]);
    expect(signals).toEqual(['0 start', '10 fail (training_loss is NaN)']);
  });

  it('are neither success nor fail when the bridge is stopped before the end', () => {
    expect(
      signalsOf([
        [0, 1],
        [10, 'SIGTERM'],
      ]),
    ).toEqual(['0 start']);
  });

  it('are another start for a job that is restarted', () => {
    const restarted = { job: { start_time: '2025-10-24T00:00:00Z' } };
    expect(
      signalsOf([
        [0, 1],
        [10, restarted],
      ]),
    ).toEqual(['0 start', '10 start']);
  });

  it.each([
    ['0', 0, ['0 start', '10 beat']],
    ['1', 1, []],
  ])('of rank %s', (_name, rank, expected) => {
    const happenings: Happening[] = [
      [0, 1],
      [10, 2],
    ];
    expect(signalsOf(happenings, rank)).toEqual(expected);
  });

  it('are none for a file that an earlier run left', () => {
    const left = applySnapshot(
      undefined,
      snapshotOf(interpret(exampleFile({ top: { status: 'completed' } }))),
      { ...pollTime(0), fileAgeMs: 3_600_000, startedMonotonicMs: 0 },
      policy,
    );
    expect(left.run?.state).toBe('waiting');
    expect(advanceSignals(initialSignals, left, pollTime(0)).signals).toEqual([]);
  });
});
