import { describe, expect, it } from 'vitest';
import {
  type TrainerStatus,
  trainerStatusOf,
} from '../../../../src/bridge/notifiers/trainjob-status/status.ts';
import { applySnapshot, endRun } from '../../../../src/run/advance.ts';
import type { Run } from '../../../../src/run/run.ts';
import { parseMetricsFile } from '../../../../src/snapshot/interpret.ts';
import { exampleText, type FileOverrides } from '../../../support/file.ts';
import { snapshotOf } from '../../../support/snapshot.ts';

const policy = { staleAfterMs: 300_000, stallAfterMs: 600_000, maxExtraMetrics: 1_000, rank: undefined };

/** The run after these files, read ten seconds apart. */
function runAfter(...files: readonly FileOverrides[]): Run {
  let run: Run | undefined;
  for (const [index, file] of files.entries()) {
    const time = { unixMs: index * 10_000, monotonicMs: index * 10_000, fileAgeMs: 0 };
    ({ run } = applySnapshot(
      run,
      snapshotOf(parseMetricsFile(Buffer.from(exampleText(file)))),
      time,
      policy,
    ));
  }
  if (run === undefined) throw new Error('no file');
  return run;
}

const step = (global_step: number, top = {}): FileOverrides => ({
  top,
  metrics: { global_step, total_steps: 300 },
});

const metricOf = ({ metrics }: TrainerStatus, name: string) =>
  metrics.find((metric) => metric.name === name)?.value;

describe('the status of a run', () => {
  it('has whole numbers for progress and time left, and every number of the file as text', () => {
    const status = trainerStatusOf(
      runAfter(...Array.from({ length: 10 }, (_, index) => step(index * 10 + 10))),
    );
    expect(status.progressPercentage).toBe(33);
    expect(status.estimatedRemainingSeconds).toBeGreaterThanOrEqual(199);
    expect(Number.isInteger(status.estimatedRemainingSeconds)).toBe(true);
    expect(status.metrics[0]).toEqual({ name: 'state', value: 'running' });
    expect(metricOf(status, 'training_loss')).toBe('1.2345');
    expect(metricOf(status, 'global_step')).toBe('100');
    for (const { value } of status.metrics) expect(value).toBeTypeOf('string');
  });

  it('has neither progress nor time left where the length of the run is unknown', () => {
    const status = trainerStatusOf(runAfter({ metrics: { epoch: 1 } }));
    expect(Object.keys(status)).toEqual(['metrics']);
  });

  it.each([
    ['running', runAfter(step(300)), 99, 0],
    ['completed', runAfter(step(200, { status: 'completed' })), 100, 0],
    ['failed', runAfter(step(200, { status: 'failed' })), 66, undefined],
    ['ended', endRun(runAfter(step(300)), 'stopped').run as Run, 100, undefined],
  ])('that is %s says so', (state, run, progress, seconds) => {
    const status = trainerStatusOf(run);
    expect(metricOf(status, 'state')).toBe(state);
    expect(status.progressPercentage).toBe(progress);
    expect(status.estimatedRemainingSeconds).toBe(seconds);
  });

  it('has a loss that is not a number', () => {
    const status = trainerStatusOf(runAfter({ metrics: { training_loss: Number.NaN } }));
    expect(metricOf(status, 'training_loss')).toBe('NaN');
  });

  it('stays within what the resource accepts', () => {
    const extras = Object.fromEntries(
      Array.from({ length: 400 }, (_, index) => [
        `metric_${index}_`.padEnd(64, 'x'),
        -1.234567890123456e-300 * (index + 1),
      ]),
    );
    const status = trainerStatusOf(runAfter({ metrics: { ...extras, state: 7 } }));
    expect(status.metrics).toHaveLength(256);
    expect(new Set(status.metrics.map(({ name }) => name)).size).toBe(256);
    expect(metricOf(status, 'state')).toBe('running');
    for (const text of status.metrics.flatMap(({ name, value }) => [name, value])) {
      expect(Buffer.byteLength(text)).toBeGreaterThan(0);
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(64);
    }
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThan(60_000);
  });
});
