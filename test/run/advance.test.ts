import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applySnapshot, applyTime, endRun } from '../../src/run/advance.ts';
import type { PollTime, Run, RunEvent, RunPolicy, Transition } from '../../src/run/run.ts';
import { interpret } from '../../src/snapshot/interpret.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';
import { exampleFile, type FileOverrides } from '../support/file.ts';
import { snapshotOf } from '../support/snapshot.ts';

const policy: RunPolicy = {
  staleAfterMs: 300_000,
  stallAfterMs: 600_000,
  maxExtraMetrics: 50,
  rank: undefined,
};
const at = (seconds: number, fileAgeMs = 0): PollTime => ({
  unixMs: 1_700_000_000_000 + seconds * 1000,
  monotonicMs: seconds * 1000,
  fileAgeMs,
});

const snapshot = (overrides?: FileOverrides) => snapshotOf(interpret(exampleFile(overrides)));
const metrics = (values: Record<string, unknown>) => snapshot({ metrics: values });

/** Takes snapshots one second apart. */
function follow(
  snapshots: readonly Snapshot[],
  given: Partial<RunPolicy> = {},
): { run: Run; events: RunEvent[]; steps: Transition[] } {
  let run: Run | undefined;
  const steps = snapshots.map((it, index) => {
    const step = applySnapshot(run, it, at(index), { ...policy, ...given });
    run = step.run;
    return step;
  });
  if (run === undefined) throw new Error('no snapshots');
  return { run, events: steps.flatMap(({ events }) => events), steps };
}
const kinds = (events: readonly RunEvent[]) => events.map(({ kind }) => kind);

describe('batches', () => {
  const batches = (
    written: readonly (readonly [
      epoch: number | undefined,
      batch: number | undefined,
      step?: number | undefined,
    ])[],
  ) =>
    follow(written.map(([epoch, batch_number, global_step]) => metrics({ epoch, batch_number, global_step })))
      .run.progress;

  it.each([
    [
      'are summed over epochs',
      [
        [1, 1],
        [1, 2],
        [2, 1],
        [2, 2],
        [3, 1],
      ],
      5,
    ],
    [
      'begin with batch 0',
      [
        [1, 0],
        [1, 1],
      ],
      1,
    ],
    [
      'are a lower bound when writes fall between polls',
      [
        [1, 90],
        [2, 80],
        [3, 5],
      ],
      175,
    ],
    [
      'start from what is seen first',
      [
        [3, 45],
        [3, 46],
      ],
      46,
    ],
    [
      'do not count an epoch twice that came back',
      [
        [1, 10],
        [2, 5],
        [1, 10],
        [2, 6],
      ],
      16,
    ],
    [
      'follow global_step where it is given',
      [
        [1, 90, 90],
        [2, 1, 101],
      ],
      101,
    ],
    [
      'do not fall when global_step does',
      [
        [1, 90, 190],
        [1, 91, 91],
      ],
      190,
    ],
    [
      'are summed without epochs, where they fall',
      [
        [undefined, 8],
        [undefined, 9],
        [undefined, 1],
      ],
      10,
    ],
    [
      'are unknown where neither is given',
      [
        [1, undefined],
        [2, undefined],
      ],
      undefined,
    ],
    [
      'are counted by whole epochs where those have fractions',
      [
        [1.25, 25],
        [1.5, 50],
        [2.25, 25],
      ],
      75,
    ],
    [
      'count from 0 if an epoch after the first does, past epochs too',
      [
        [1, 0],
        [1, 1],
        [1, 2],
        [2, 0],
        [2, 1],
        [2, 2],
        [3, 0],
      ],
      7,
    ],
    [
      'count from 0 without epochs',
      [
        [undefined, 0],
        [undefined, 1],
        [undefined, 0],
      ],
      3,
    ],
  ] as const)('%s', (_name, written, expected) => {
    expect(batches(written).batches).toBe(expected);
  });

  it('are finite and exact, whatever the file says: a value beyond 1e12 is skipped', () => {
    const { run } = follow([
      metrics({ epoch: 1, batch_number: 1e12 }),
      metrics({ epoch: 2, batch_number: 1e12 }),
      metrics({ epoch: 3, batch_number: 1.7e308 }),
      metrics({ epoch: 1.7e308, batch_number: undefined, global_step: 1.7e308 }),
    ]);
    expect(run.progress).toMatchObject({ epoch: 3, batches: 2e12 });
    expect(run.latest.skipped.map(({ field, reason }) => `${field} ${reason}`)).toEqual([
      'epoch out_of_range',
      'global_step out_of_range',
    ]);
  });

  it('that count from 0 are reported once', () => {
    const { events } = follow(
      [1, 2, 3].flatMap((epoch) => [0, 1].map((batch_number) => metrics({ epoch, batch_number }))),
    );
    expect(kinds(events).filter((kind) => kind === 'counts_from_zero')).toHaveLength(1);
  });

  it('and epochs never fall within a run, whatever is written', () => {
    const number = fc.option(fc.oneof(fc.nat(20), fc.double({ min: 0, max: 1e6, noNaN: true })), {
      nil: undefined,
    });
    const values = fc.record({ epoch: number, batch_number: number, global_step: number });
    const start = fc.constantFrom('2025-10-23T10:15:00Z', '2025-10-24T10:15:00Z', undefined);
    const files = fc.array(fc.record({ metrics: values, job: fc.record({ start_time: start }) }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(files, (written) => {
        const { steps } = follow(written.map((file) => snapshot(file)));
        for (const [index, { run, events }] of steps.entries()) {
          const before = steps[index - 1]?.run;
          if (!before || !run || kinds(events).includes('run_began')) continue;
          expect(run.progress.batches ?? 0).toBeGreaterThanOrEqual(before.progress.batches ?? 0);
          expect(run.progress.epoch ?? 0).toBeGreaterThanOrEqual(before.progress.epoch ?? 0);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('end at the true total when every one is seen, whatever the epochs are long', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 10 }), (lengths) => {
        const written = lengths.flatMap((length, epoch) =>
          Array.from({ length }, (_, batch) => metrics({ epoch: epoch + 1, batch_number: batch + 1 })),
        );
        expect(follow(written).run.progress.batches).toBe(lengths.reduce((a, b) => a + b, 0));
      }),
      { numRuns: 200 },
    );
  });
});

describe('the identity of a run', () => {
  const start = (start_time: string | undefined, epoch = 3) =>
    snapshot({ job: { start_time }, metrics: { epoch } });

  it('is its start as an instant, not as text', () => {
    const { events } = follow([start('2025-10-23T10:15:00+00:00'), start('2025-10-23T12:15:00+02:00')]);
    expect(kinds(events)).toEqual(['run_began']);
  });

  it('is the same start as text and as seconds, in turn', () => {
    const [text, seconds] = [
      snapshot({ job: { start_time: '2025-10-23T10:15:00.123457+00:00' } }),
      snapshot({ job: { start_time: 1_761_214_500.123457 } }),
    ];
    expect(kinds(follow([text, seconds, text, seconds]).events)).toEqual(['run_began']);
  });

  it('changes with the start: the old one ends, the new one counts from its own', () => {
    const { run, events } = follow([start('2025-10-23T10:15:00Z', 9), start('2025-10-24T10:15:00Z', 1)]);
    expect(kinds(events)).toEqual(['run_began', 'run_ended', 'run_began']);
    expect(events[1]).toMatchObject({ reason: 'replaced', run: { state: 'ended' } });
    expect(run.progress).toMatchObject({ epoch: 1, batches: 45 });
  });

  it('changes without a start when the epoch falls', () => {
    expect(kinds(follow([start(undefined, 9), start(undefined, 1)]).events)).toEqual([
      'run_began',
      'run_ended',
      'run_began',
    ]);
    expect(
      kinds(follow([start('2025-10-23T10:15:00Z', 9), start('2025-10-23T10:15:00Z', 1)]).events),
    ).toEqual(['run_began']);
  });

  it('is not changed by a snapshot that says less', () => {
    const { events } = follow([
      start('2025-10-23T10:15:00Z'),
      start(undefined),
      snapshot({ job: { job_id: undefined } }),
    ]);
    expect(kinds(events)).toEqual(['run_began']);
  });

  it('keeps the labels of its first snapshot', () => {
    const { run } = follow([
      snapshot(),
      snapshot({ job: { model_name: 'other', dataset: 'other' }, metrics: { batch_number: 46 } }),
    ]);
    expect(run.labels).toMatchObject({ modelName: 'resnet-50', dataset: 'imagenet' });
  });

  it('of two writers in turn is reported, and the younger one stays', () => {
    const [a, b] = [snapshot({ job: { job_id: 'a' } }), snapshot({ job: { job_id: 'b' } })];
    const { run, events } = follow([a, b, a, b, a, b]);
    expect(kinds(events)).toEqual(['run_began', 'run_ended', 'run_began', 'two_writers', 'two_writers']);
    expect(run.identity.jobId).toBe('b');
  });

  it('may come back when the run that took its place is no longer written', () => {
    const [a, b] = [snapshot({ job: { job_id: 'a' } }), snapshot({ job: { job_id: 'b' } })];
    let { run } = follow([a, b]) as { run: Run | undefined };
    const seen: string[] = [];
    for (let second = 10; second < 600; second += 10) {
      const step = applySnapshot(run, { ...a }, at(second), policy);
      run = step.run;
      seen.push(...kinds(step.events));
    }
    expect(run?.identity.jobId).toBe('a');
    expect(seen.filter((kind) => kind !== 'two_writers')).toEqual(['run_ended', 'run_began']);
  });

  it('of a second writer does not keep the values of the run fresh', () => {
    const [a, b] = [snapshot({ job: { job_id: 'a' } }), snapshot({ job: { job_id: 'b' } })];
    const { run } = follow([a, b]);
    const step = applySnapshot(run, a, at(200), { ...policy, staleAfterMs: 100_000 });
    expect(step.run?.fresh).toBe(false);
    expect(kinds(step.events)).toEqual(['two_writers', 'went_stale']);
  });
});

describe('an identity that changes with every write', () => {
  const trial = (start: number, values: Record<string, unknown>, job: Record<string, unknown> = {}) =>
    snapshot({ job: { start_time: 1_700_000_000 + start, ...job }, metrics: values });
  const written = (count: number, valuesOf: (index: number) => Record<string, unknown>) =>
    Array.from({ length: count }, (_, index) => trial(index, valuesOf(index)));

  it.each([
    ['batches', (index: number) => ({ epoch: 1, batch_number: index })],
    ['epochs', (index: number) => ({ epoch: index, batch_number: 1 })],
    ['steps', (index: number) => ({ global_step: index })],
  ])('is one run where the %s go on, reported once', (_what, valuesOf) => {
    const { run, events } = follow(written(30, valuesOf));
    expect(kinds(events).filter((kind) => kind === 'run_began')).toHaveLength(5);
    expect(events.filter(({ kind }) => kind === 'identity_changes')).toEqual([
      { kind: 'identity_changes', fields: ['start_time'] },
    ]);
    expect(run).toMatchObject({ snapshots: 26, identity: { startTimeMs: 1_700_000_004_000 } });
  });

  it('is none in a sweep of trials that each write once and start again', () => {
    const { events } = follow(written(30, () => ({ epoch: 1, batch_number: 100 })));
    expect(kinds(events).filter((kind) => kind === 'run_began')).toHaveLength(30);
    expect(kinds(events)).not.toContain('identity_changes');
  });

  it('is none where one of five runs has two writes', () => {
    const twice = written(4, (index) => ({ epoch: 1, batch_number: index }));
    const others = [trial(3, { epoch: 1, batch_number: 4 }), trial(4, { epoch: 1, batch_number: 5 })];
    const more = [trial(5, { epoch: 1, batch_number: 6 }), trial(6, { epoch: 1, batch_number: 7 })];
    expect(kinds(follow([...twice, ...others, ...more]).events)).not.toContain('identity_changes');
  });

  it('still begins a run when the epoch falls or the job is another', () => {
    const before = written(10, (index) => ({ epoch: 2, batch_number: index }));
    const restarted = follow([...before, trial(11, { epoch: 1, batch_number: 1 })]);
    expect(restarted.run).toMatchObject({ snapshots: 1, identity: { startTimeMs: 1_700_000_011_000 } });
    const other = follow([...before, trial(11, { epoch: 2, batch_number: 11 }, { job_id: 'other' })]);
    expect(other.run).toMatchObject({ snapshots: 1, identity: { jobId: 'other' } });
  });
});

describe('two writers that name no start', () => {
  const write = (epoch: number, job_id?: string, batch_number = 45) =>
    snapshot({ job: { start_time: undefined, job_id }, metrics: { epoch, batch_number } });
  const began = (events: readonly RunEvent[]) => kinds(events).filter((kind) => kind === 'run_began').length;

  it('are told from a restart by the second fall, and reported from then on', () => {
    const { events, run } = follow([9, 3, 9, 3, 9, 4, 10].map((epoch) => write(epoch)));
    expect(kinds(events).filter((kind) => kind !== 'epoch_ended')).toEqual([
      'run_began',
      'run_ended',
      'run_began',
      'two_writers',
      'two_writers',
    ]);
    expect(run.progress.epoch).toBe(10);
  });

  it('begin two runs at most, in whatever turns they write', () => {
    const name = fc.constantFrom(undefined, 'a');
    const turns = fc.array(fc.record({ isFirst: fc.boolean(), trained: fc.nat(3) }), { maxLength: 100 });
    fc.assert(
      fc.property(turns, name, name, (written, first, second) => {
        const one = { name: first, epoch: 0 };
        const other = { name: second, epoch: 400 };
        const snapshots = written.map(({ isFirst, trained }) => {
          const writer = isFirst ? one : other;
          writer.epoch += trained;
          return write(writer.epoch, writer.name);
        });
        const { events } = follow([write(0, first), ...snapshots]);
        // Two by the falls, and one more for each of them where a name comes in.
        expect(began(events)).toBeLessThanOrEqual(first === second ? 2 : 4);
      }),
      { numRuns: 1000 },
    );
  });

  it('are no restarts in a row, however far each gets', () => {
    const gains = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(gains, { minLength: 1, maxLength: 10 }), (lives) => {
        const snapshots = lives.flatMap((steps) => {
          const sums = steps.map((_, index) => steps.slice(0, index + 1).reduce((a, b) => a + b));
          return [write(0, undefined, 1), write(0, undefined, 2), ...sums.map((epoch) => write(epoch))];
        });
        const { events } = follow(snapshots);
        expect(kinds(events)).not.toContain('two_writers');
        expect(began(events)).toBe(lives.length);
      }),
      { numRuns: 1000 },
    );
  });

  it('are no restart before the epoch of the last one, however high its batch is', () => {
    const { events } = follow([write(9, undefined, 10), write(3, undefined, 1), write(2, undefined, 45)]);
    expect(kinds(events)).not.toContain('two_writers');
    expect(began(events)).toBe(3);
  });

  it('leave the file to the one that lives', () => {
    let run: Run | undefined = follow([9, 3, 9, 3].map((epoch) => write(epoch))).run;
    const seen: string[] = [];
    for (let second = 10; second < 600; second += 10) {
      const step = applySnapshot(run, write(3), at(second), policy);
      run = step.run;
      seen.push(...kinds(step.events).filter((kind) => kind !== 'two_writers'));
    }
    expect(seen).toEqual(['run_ended', 'run_began']);
    expect(run?.progress.epoch).toBe(3);
  });

  it('are none where the epoch falls again long after', () => {
    let { run } = follow([9, 3, 9].map((epoch) => write(epoch))) as { run: Run | undefined };
    for (let second = 10; second < 400; second += 10)
      run = applySnapshot(run, write(9), at(second), policy).run;
    expect(kinds(applySnapshot(run, write(3), at(400), policy).events)).toEqual(['run_ended', 'run_began']);
  });
});

describe('a name that is given late', () => {
  const nameless = (values: Record<string, unknown> = {}) =>
    snapshot({ job: { job_id: undefined, model_name: undefined }, metrics: values });
  const isNamed = fc.boolean();

  it('begins a run with that name, which goes on from where it was', () => {
    const { run, events } = follow([
      nameless({ epoch: 1, batch_number: 100, training_loss: Number.NaN }),
      metrics({ epoch: 2, batch_number: 7 }),
    ]);
    expect(kinds(events).filter((kind) => kind.startsWith('run'))).toEqual([
      'run_began',
      'run_ended',
      'run_began',
    ]);
    expect(run).toMatchObject({
      identity: { jobId: 'training-job-001' },
      labels: { modelName: 'resnet-50' },
      progress: { epoch: 2, batches: 107 },
      nonFinite: new Map([['training_loss', 1]]),
    });
  });

  it('is kept from then on, and another is another run', () => {
    const { steps } = follow([nameless(), snapshot(), nameless(), snapshot({ job: { job_id: 'other' } })]);
    expect(steps.map(({ run }) => run?.identity.jobId)).toEqual([
      undefined,
      'training-job-001',
      'training-job-001',
      'other',
    ]);
  });

  it('begins one run more, whichever snapshots have it, and loses no batch', () => {
    fc.assert(
      fc.property(fc.array(isNamed, { minLength: 1, maxLength: 40 }), (names) => {
        const { run, events } = follow(
          names.map((named, index) => (named ? metrics : nameless)({ batch_number: index + 1 })),
        );
        const began = kinds(events).filter((kind) => kind === 'run_began').length;
        expect(began).toBe(names.includes(true) && !names[0] ? 2 : 1);
        expect(run.identity.jobId).toBe(names.includes(true) ? 'training-job-001' : undefined);
        expect(run.progress.batches).toBe(names.length);
      }),
    );
  });
});

describe('the state of a run', () => {
  it('stalls when the step does not advance, though the file is written, and resumes', () => {
    const first = applySnapshot(undefined, snapshot(), at(0), policy);
    const idle = applySnapshot(
      first.run,
      snapshot({ top: { timestamp: '2025-10-23T11:00:00Z' } }),
      at(599),
      policy,
    );
    expect(idle.run?.state).toBe('running');
    const stalled = applyTime(idle.run, at(600), policy);
    expect(stalled).toMatchObject({
      run: { state: 'stalled', fresh: true },
      events: [{ kind: 'stalled' }],
    });
    expect(applyTime(stalled.run, at(700), policy).events).toEqual([]);
    const resumed = applySnapshot(stalled.run, metrics({ batch_number: 46 }), at(800), policy);
    expect(resumed).toMatchObject({ run: { state: 'running' }, events: [{ kind: 'resumed' }] });
  });

  it('counts the time a step was made by the write, not by the reading', () => {
    const { run } = applySnapshot(undefined, snapshot(), at(1000, 700_000), policy);
    expect(run).toMatchObject({ state: 'stalled', lastStep: { unixMs: 1_700_000_300_000 } });
  });

  it('does not stall when the job went back to a checkpoint and trains on', () => {
    let run = applySnapshot(undefined, metrics({ epoch: 50, batch_number: 90 }), at(0), policy).run;
    for (let second = 10; second <= 3_000; second += 10) {
      const step = applySnapshot(run, metrics({ epoch: 40, batch_number: second / 10 }), at(second), policy);
      expect(kinds(step.events)).not.toContain('stalled');
      run = step.run;
    }
    expect(run).toMatchObject({
      state: 'running',
      progress: { epoch: 50 },
      lastStep: { monotonicMs: 3_000_000 },
    });
  });

  it('is not undone by a last write that does not say it again, and may turn from completed to failed', () => {
    const { run, steps } = follow([
      snapshot({ top: { status: 'completed' } }),
      metrics({ batch_number: 46 }),
      snapshot({ top: { status: 'failed' } }),
    ]);
    expect(steps.map((step) => step.run?.state)).toEqual(['completed', 'completed', 'failed']);
    expect(run.state).toBe('failed');
    expect(kinds(steps[2]?.events ?? [])).toEqual(['run_ended']);
  });

  it('never stalls where the file has no steps but goes on', () => {
    const noSteps = { epoch: undefined, batch_number: undefined };
    const first = applySnapshot(undefined, metrics(noSteps), at(0), policy);
    const later = applySnapshot(first.run, metrics({ ...noSteps, training_loss: 1 }), at(700), policy);
    expect(applyTime(later.run, at(1_200), policy).run?.state).toBe('running');
  });

  it('goes stale when the file is not written and becomes fresh again', () => {
    const first = applySnapshot(undefined, snapshot(), at(0), policy);
    const stale = applyTime(first.run, at(300, 300_000), policy);
    expect(stale).toMatchObject({
      run: { fresh: false, state: 'running' },
      events: [{ kind: 'went_stale' }],
    });
    expect(applyTime(stale.run, at(301, 0), policy)).toMatchObject({
      run: { fresh: true },
      events: [{ kind: 'became_fresh' }],
    });
  });

  it.each(['completed', 'failed'] as const)('is %s when the file says so, once, and stays so', (status) => {
    const { run, events } = follow([snapshot(), snapshot({ top: { status } })]);
    expect(run.state).toBe(status);
    expect(events.filter(({ kind }) => kind === 'run_ended')).toHaveLength(1);
    expect(applyTime(run, at(10_000), policy).run?.state).toBe(status);
    expect(endRun(run, 'stopped')).toEqual({ run, events: [] });
  });

  it('ends when the bridge is stopped', () => {
    const { run } = follow([snapshot()]);
    expect(endRun(run, 'stopped')).toMatchObject({
      run: { state: 'ended' },
      events: [{ kind: 'run_ended', reason: 'stopped' }],
    });
  });

  it('is none while nothing was seen', () => {
    expect(applyTime(undefined, at(0), policy)).toEqual({ run: undefined, events: [] });
  });
});

describe('what happened', () => {
  it('has the end of each epoch', () => {
    const { events } = follow([1, 1, 2, 3].map((epoch, index) => metrics({ epoch, batch_number: index })));
    const ended = events.filter((it) => it.kind === 'epoch_ended');
    expect(ended.map(({ epoch }) => epoch)).toEqual([1, 2]);
  });

  it('has a value that becomes NaN once, counts it each time, and says when it is over', () => {
    const loss = (training_loss: number) => metrics({ training_loss });
    const { run, events } = follow([loss(Number.NaN), loss(Number.NaN), loss(1), loss(Number.NaN)]);
    expect(kinds(events)).toEqual(['run_began', 'became_non_finite', 'became_finite', 'became_non_finite']);
    expect(run.nonFinite).toEqual(new Map([['training_loss', 3]]));
  });

  it('counts extras that were never finite together, because their names are anybody’s', () => {
    const { run } = follow([metrics({ a: Number.NaN, b: Number.NaN, c: 1 }), metrics({ c: Number.NaN })]);
    expect(run.nonFinite).toEqual(
      new Map([
        ['extra', 2],
        ['c', 1],
      ]),
    );
  });

  it('has the extras there was no room for', () => {
    const { run, events } = follow([metrics({ a: 1, b: 2 }), metrics({ c: 3 }), metrics({ a: 4 })], {
      maxExtraMetrics: 2,
    });
    expect([...run.extras]).toEqual(['a', 'b']);
    expect(events).toContainEqual({ kind: 'extras_refused', names: ['c'] });
  });
});

describe('a step', () => {
  it('is pure: the same run, snapshot and moment give the same, and nothing given is changed', () => {
    const { run } = follow([metrics({ a: 1, training_loss: Number.NaN }), metrics({ batch_number: 46 })]);
    const before = structuredClone({ ...run, latest: undefined });
    const next = metrics({ epoch: 4, b: 2, training_loss: Number.NaN });
    expect(applySnapshot(run, next, at(9), policy)).toEqual(applySnapshot(run, next, at(9), policy));
    expect(structuredClone({ ...run, latest: undefined })).toEqual(before);
  });
});
