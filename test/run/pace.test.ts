import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../../src/commands/simulate/random.ts';
import { applySnapshot, applyTime } from '../../src/run/advance.ts';
import { estimatedRemainingMs, progressOf } from '../../src/run/estimate.ts';
import type { Run, RunPolicy } from '../../src/run/run.ts';
import { interpret } from '../../src/snapshot/interpret.ts';
import { exampleFile } from '../support/file.ts';
import { snapshotOf } from '../support/snapshot.ts';

const policy: RunPolicy = {
  staleAfterMs: 300_000,
  stallAfterMs: 600_000,
  maxExtraMetrics: 50,
  rank: undefined,
};

/** A write of a simulated job, `s` seconds after it began. */
interface Write {
  readonly s: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly startTime?: string;
}

interface Estimate {
  readonly s: number;
  readonly progress: number | undefined;
  readonly remainingS: number | undefined;
}

/** Reads each write a moment after it was made, and lets time pass in between, as polls do. */
function estimates(writes: readonly Write[], pollS = 10): readonly Estimate[] {
  let run: Run | undefined;
  return writes.map(({ s, metrics, startTime }, index) => {
    const time = (atS: number, fileAgeMs: number) => ({
      unixMs: 1_700_000_000_000 + atS * 1000,
      monotonicMs: atS * 1000,
      fileAgeMs,
    });
    const previous = writes[index - 1]?.s ?? s;
    for (let passed = previous + pollS; passed < s; passed += pollS)
      run = applyTime(run, time(passed, (passed - previous) * 1000), policy).run;
    const job = startTime === undefined ? {} : { job: { start_time: startTime } };
    const file = { ...exampleFile(job), training_metrics: metrics };
    run = applySnapshot(run, snapshotOf(interpret(file)), time(s + 0.5, 500), policy).run;
    const ms = run && estimatedRemainingMs(run);
    return { s, progress: run && progressOf(run), remainingS: ms === undefined ? undefined : ms / 1000 };
  });
}

/** One write per step of `stepS` seconds, without the first, and with pauses before some steps. */
function steady(
  total: number,
  stepS: number,
  pauses: Readonly<Record<number, number>> = {},
  from = 0,
): readonly Write[] {
  let s = 0;
  return Array.from({ length: total - from }, (_, index) => {
    const global_step = from + index + 1;
    s += stepS + (pauses[global_step] ?? 0);
    return { s, metrics: { global_step, total_steps: total } };
  });
}

/** Asserts that each estimate is within a tenth of the time that was really left. */
function expectWithinTenth(given: readonly Estimate[], endS: number): void {
  for (const { s, remainingS } of given) {
    expect(remainingS, `after ${s} s`).toBeDefined();
    // A second of tolerance, because a tenth of the last seconds is less than a step.
    const error = Math.abs((remainingS ?? 0) - (endS - s));
    expect(error, `after ${s} s of ${endS}: ${remainingS}`).toBeLessThanOrEqual((endS - s) / 10 + 1);
  }
}

const endOf = (writes: readonly Write[]) => writes.at(-1)?.s ?? 0;

describe('the time left', () => {
  const runs = fc.record({
    total: fc.integer({ min: 60, max: 400 }),
    stepS: fc.double({ min: 0.05, max: 200, noNaN: true }),
    /** How many steps lie between two writes that the bridge sees. */
    stride: fc.integer({ min: 1, max: 2 }),
  });
  const seen = (writes: readonly Write[], stride: number) =>
    writes.filter((_, index) => index % stride === 0 || index === writes.length - 1);

  it('is right after a tenth of a steady run', () => {
    fc.assert(
      fc.property(runs, ({ total, stepS, stride }) => {
        const writes = seen(steady(total, stepS), stride);
        const all = estimates(writes);
        expectWithinTenth(all.slice(Math.ceil(all.length / 10) + 3), endOf(writes));
        for (const [index, { metrics }] of writes.entries())
          expect(all[index]?.progress).toBe((metrics.global_step ?? 0) / total);
      }),
      { numRuns: 40 },
    );
  });

  it('is close where steps take different times', () => {
    fc.assert(
      fc.property(runs, fc.nat(), ({ total, stepS }, seed) => {
        const random = mulberry32(seed);
        let s = 0;
        const writes = Array.from({ length: total }, (_, index) => {
          s += stepS * (0.7 + 0.6 * random());
          return { s, metrics: { global_step: index + 1, total_steps: total } };
        });
        const late = estimates(writes).slice(Math.ceil(writes.length / 4), -20);
        for (const { s: atS, remainingS = 0 } of late)
          expect(Math.abs(remainingS / (s - atS) - 1)).toBeLessThanOrEqual(0.3);
      }),
      // The times are random: with any seed, about one run of 20,000 is further off by chance.
      { numRuns: 30, seed: 29 },
    );
  });

  it('does not count one evaluation pause as pace', () => {
    const writes = steady(200, 1, { 15: 120 });
    expectWithinTenth(estimates(writes).slice(20), endOf(writes));
  });

  it('expects evaluations that come after each epoch', () => {
    const pauses = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [(index + 1) * 20, 15]));
    const writes = steady(400, 1, pauses);
    expectWithinTenth(estimates(writes).slice(45), endOf(writes));
  });

  it('follows a job that becomes slower, at once and when its latest writes are all slow', () => {
    const pauses = Object.fromEntries(Array.from({ length: 400 }, (_, index) => [index + 101, 9]));
    const writes = steady(500, 1, pauses);
    const all = estimates(writes);
    expectWithinTenth([...all.slice(105, 150), ...all.slice(225)], endOf(writes));
  });

  it('ends with the progress when the values are stale', () => {
    let run: Run | undefined;
    for (const { s, metrics } of steady(50, 1)) {
      const time = { unixMs: s * 1000, monotonicMs: s * 1000, fileAgeMs: 0 };
      const file = { ...exampleFile(), training_metrics: metrics };
      run = applySnapshot(run, snapshotOf(interpret(file)), time, policy).run;
    }
    const runAtAge = (ageMs: number) => {
      const ms = 50_000 + ageMs;
      return applyTime(run, { unixMs: ms, monotonicMs: ms, fileAgeMs: ageMs }, policy).run as Run;
    };
    expect(progressOf(runAtAge(policy.staleAfterMs - 1_000))).toBeDefined();
    const stale = runAtAge(policy.staleAfterMs + 1_000);
    expect([progressOf(stale), estimatedRemainingMs(stale)]).toEqual([undefined, undefined]);
  });

  it('is absent while the run is stalled, and right again at once', () => {
    const writes = steady(200, 1, { 50: 3000 });
    const all = estimates(writes);
    expectWithinTenth(all.slice(50), endOf(writes));
    let run: Run | undefined;
    for (const { s, metrics } of writes.slice(0, 49)) {
      const time = { unixMs: s * 1000, monotonicMs: s * 1000, fileAgeMs: 0 };
      const file = { ...exampleFile(), training_metrics: metrics };
      run = applySnapshot(run, snapshotOf(interpret(file)), time, policy).run;
    }
    const later = { unixMs: 700_000, monotonicMs: 700_000, fileAgeMs: 10 };
    const stalled = applyTime(run, later, policy).run as Run;
    expect(stalled.state).toBe('stalled');
    expect(estimatedRemainingMs(stalled)).toBeUndefined();
    expect(progressOf(stalled)).toBe(49 / 200);
  });

  it('does not expect stalls to come again', () => {
    const writes = steady(200, 1, { 50: 3000, 90: 3000 });
    expectWithinTenth(estimates(writes).slice(90), endOf(writes));
  });

  it('is right a few writes after the bridge restarted', () => {
    const writes = steady(200, 2);
    expectWithinTenth(estimates(writes.slice(40)).slice(3), endOf(writes));
  });

  it('is right after the trainer restarted from a checkpoint, as a new run or as the same', () => {
    const before = steady(200, 2).slice(0, 60);
    const after = steady(200, 2, {}, 50).map(({ s, metrics }) => ({ s: s + 300, metrics }));
    const begunAgain = after.map((write) => ({ ...write, startTime: '2025-10-23T12:00:00Z' }));
    expectWithinTenth(estimates([...before, ...after]).slice(60), endOf(after));
    expectWithinTenth(estimates([...before, ...begunAgain]).slice(64), endOf(after));
  });

  it('is right with epochs of different lengths and total_steps', () => {
    const lengths = [10, 90, 30, 70];
    const places = lengths.flatMap((length, epoch) =>
      Array.from({ length }, (_, batch) => ({ epoch: epoch + 1, batch_number: batch + 1 })),
    );
    const writes = steady(200, 1).map(({ s, metrics }, index) => ({
      s,
      metrics: { ...metrics, ...places[index], total_epochs: 4, batches_per_epoch: 50 },
    }));
    expectWithinTenth(estimates(writes).slice(20), endOf(writes));
  });

  it('is right by epochs and batches alone', () => {
    const writes = steady(200, 1).map(({ s }, index) => ({
      s,
      metrics: {
        epoch: Math.floor(index / 50) + 1,
        batch_number: (index % 50) + 1,
        total_epochs: 4,
        batches_per_epoch: 50,
      },
    }));
    expectWithinTenth(estimates(writes).slice(20), endOf(writes));
  });

  /** Reads writes of several records each, as from a log. A poll computes the time of a write anew, with a rounding error. */
  function estimatesOfLog(writes: readonly { readonly s: number; readonly steps: readonly number[] }[]) {
    let run: Run | undefined;
    return writes.map(({ s, steps }, write) => {
      for (const [index, global_step] of steps.entries()) {
        const roundingMs = index / 1000;
        const time = { unixMs: s * 1000, monotonicMs: s * 1000 + roundingMs, fileAgeMs: 0 };
        const file = { training_metrics: { global_step, total_steps: 1000 } };
        const records = { ...policy, content: 'records' as const };
        run = applySnapshot(run, snapshotOf(interpret(file)), time, records).run;
      }
      const ms = run && estimatedRemainingMs(run);
      return { s, write, progress: undefined, remainingS: ms === undefined ? undefined : ms / 1000 };
    });
  }
  const count = (from: number, length: number) => Array.from({ length }, (_, index) => from + index);

  it('does not take the steps that a log held before as pace', () => {
    const all = estimatesOfLog([
      { s: 0, steps: count(1, 300) },
      ...count(1, 100).map((write) => ({ s: write * 10, steps: [300 + write] })),
    ]);
    expect(all[0]?.remainingS).toBeUndefined();
    expectWithinTenth(all.slice(4), 7000);
  });

  it('is right where a log is written several records at a time', () => {
    const all = estimatesOfLog(
      count(0, 90).map((write) => ({ s: write * 10, steps: count(write * 10, 10) })),
    );
    expectWithinTenth(all.slice(4), 991);
  });

  it('is absent without a total, for the first writes, and when the run is over', () => {
    const unknown = estimates(
      steady(50, 1).map(({ s, metrics: { global_step = 0 } }) => ({ s, metrics: { global_step } })),
    );
    expect(
      unknown.every(({ remainingS, progress }) => remainingS === undefined && progress === undefined),
    ).toBe(true);
    expect(estimates(steady(50, 1).slice(0, 3)).map(({ remainingS }) => remainingS)).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    const file = {
      ...exampleFile(),
      status: 'completed',
      training_metrics: { global_step: 4, total_steps: 5 },
    };
    const time = { unixMs: 0, monotonicMs: 0, fileAgeMs: 0 };
    const over = applySnapshot(undefined, snapshotOf(interpret(file)), time, policy).run as Run;
    expect([progressOf(over), estimatedRemainingMs(over)]).toEqual([0.8, undefined]);
  });

  it('is unknown past the total, which was wrong, and right again with another total', () => {
    const [short, right] = [30, 200];
    const writes = steady(right, 1).map(({ s, metrics }) => ({
      s,
      metrics: { ...metrics, total_steps: s <= 60 ? short : right },
    }));
    const all = estimates(writes);
    expect(all[short - 1]).toMatchObject({ progress: 1, remainingS: 0 });
    for (const estimate of all.slice(short, 60))
      expect(estimate).toMatchObject({ progress: 1, remainingS: undefined });
    expectWithinTenth(all.slice(60), right);
  });

  it('is never infinite, whatever the total is', () => {
    const writes = steady(20, 1).map(({ s, metrics }) => ({
      s,
      metrics: { ...metrics, total_steps: 1e306 },
    }));
    const remaining = estimates(writes).map(({ remainingS }) => remainingS);
    expect(remaining.filter((it) => it !== undefined && !Number.isFinite(it))).toEqual([]);
  });

  it('keeps a bounded history', () => {
    let run: Run | undefined;
    for (let step = 1; step <= 2000; step++) {
      const time = { unixMs: step * 100, monotonicMs: step * 100, fileAgeMs: 0 };
      const file = { ...exampleFile(), training_metrics: { global_step: step, total_steps: 5000 } };
      run = applySnapshot(run, snapshotOf(interpret(file)), time, policy).run;
    }
    expect(run?.pace.intervals.length).toBeLessThanOrEqual(120);
    expect(run?.pace.pauses.length).toBeLessThanOrEqual(8);
  });
});
