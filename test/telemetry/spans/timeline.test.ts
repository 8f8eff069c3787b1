import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applySnapshot, applyTime, endRun } from '../../../src/run/advance.ts';
import type { Run, RunPolicy } from '../../../src/run/run.ts';
import { interpret } from '../../../src/snapshot/interpret.ts';
import { spanIdOf } from '../../../src/telemetry/spans/ids.ts';
import type { SavedRunSpan } from '../../../src/telemetry/spans/run-span-store.ts';
import { advanceTimeline, newTimeline, type SpanAction } from '../../../src/telemetry/spans/timeline.ts';
import { exampleFile, type FileOverrides } from '../../support/file.ts';
import { snapshotOf } from '../../support/snapshot.ts';

const policy: RunPolicy = {
  staleAfterMs: 300_000,
  stallAfterMs: 5_000,
  maxExtraMetrics: 50,
  rank: undefined,
};

const loss = fc.oneof(fc.double({ noNaN: true, min: 0, max: 10 }), fc.constantFrom(Number.NaN, undefined));
const write = fc.record({
  job: fc.constantFrom('a', 'a', 'a', 'b'),
  start: fc.constantFrom(0, 0, 0, 1),
  epoch: fc.oneof(fc.nat(4), fc.constant(undefined)),
  batch: fc.nat(3),
  loss,
  second: fc.integer({ min: -3, max: 60 }),
  status: fc.constantFrom(undefined, undefined, undefined, 'running', 'completed', 'failed'),
  events: fc.array(
    fc.record({ name: fc.constantFrom('x', 'y', 'z'), second: fc.integer({ min: -100, max: 100 }) }),
    {
      maxLength: 3,
    },
  ),
});

const begin = Date.parse('2025-10-23T10:15:00Z');
const bridge = { instanceId: 'instance', startedUnixMs: begin, saved: undefined };
const at = (second: number) => new Date(begin + second * 1000).toISOString();

test('spans are whole and in order, whatever is written', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(write, fc.constant(undefined)), { maxLength: 40 }), (writes) => {
      let run: Run | undefined;
      let timeline = newTimeline(bridge);
      const actions: SpanAction[] = [];
      const now = (index: number) => ({
        unixMs: begin + index * 1000,
        monotonicMs: index * 1000,
        fileAgeMs: 0,
      });
      writes.forEach((it, index) => {
        const snapshot =
          it &&
          snapshotOf(
            interpret(
              exampleFile({
                job: { job_id: it.job, start_time: at(it.start) },
                metrics: { epoch: it.epoch, batch_number: it.batch, training_loss: it.loss },
                top: {
                  timestamp: at(it.second),
                  status: it.status,
                  events: it.events.map(({ name, second }) => ({ name, time: at(second) })),
                },
              }),
            ),
          );
        const transition = snapshot
          ? applySnapshot(run, snapshot, now(index), policy)
          : applyTime(run, now(index), policy);
        run = transition.run;
        const own = snapshot !== undefined && run?.latest === snapshot ? snapshot : undefined;
        const next = advanceTimeline(timeline, transition, own, now(index));
        timeline = next.timeline;
        actions.push(...next.actions);
      });
      if (run !== undefined)
        actions.push(
          ...advanceTimeline(timeline, endRun(run, 'stopped'), undefined, now(writes.length)).actions,
        );

      let open: string | undefined;
      for (const action of actions) {
        if (action.kind === 'run_began') {
          expect(open).toBeUndefined();
          open = action.run.key.jobId;
          continue;
        }
        expect(open).toBeDefined();
        expect(action.span.endMs).toBeGreaterThanOrEqual(action.span.startMs);
        expect(action.span.events.length).toBeLessThanOrEqual(128);
        for (const value of Object.values(action.span.attributes)) {
          expect(value).toBeDefined();
          if (typeof value === 'number') expect(value).not.toBeNaN();
        }
        if (action.kind === 'run_ended') open = undefined;
      }
      expect(open).toBeUndefined();
    }),
    { numRuns: 2_000 },
  );
});

test('of many events the newest are held, however many there were', () => {
  let run: Run | undefined;
  let timeline = newTimeline(bridge);
  for (let batch = 1; batch <= 4; batch++) {
    const events = Array.from({ length: 100 }, (_, index) => ({
      name: `${batch}.${index}`,
      time: at(batch),
    }));
    const snapshot = snapshotOf(
      interpret(
        exampleFile({ metrics: { epoch: 1, batch_number: batch }, top: { timestamp: at(batch), events } }),
      ),
    );
    const now = { unixMs: begin, monotonicMs: batch, fileAgeMs: 0 };
    const transition = applySnapshot(run, snapshot, now, policy);
    run = transition.run;
    timeline = advanceTimeline(timeline, transition, snapshot, now).timeline;
  }
  const { actions } = advanceTimeline(timeline, endRun(run as Run, 'stopped'), undefined, {
    unixMs: begin,
    monotonicMs: 5,
    fileAgeMs: 0,
  });
  const [epoch] = actions.flatMap((action) => (action.kind === 'epoch_ended' ? [action.span] : []));
  expect(epoch?.events).toHaveLength(128);
  expect(epoch?.events.at(-1)?.name).toBe('4.99');
});

/** What the span writer does for a run that writes these timestamps, 10 s apart, and is stopped after 30 s. */
function actionsOf(timestamps: readonly string[], { job, top }: Pick<FileOverrides, 'job' | 'top'> = {}) {
  let run: Run | undefined;
  let timeline = newTimeline(bridge);
  const all: SpanAction[] = [];
  const now = (second: number) => ({ unixMs: begin, monotonicMs: second * 1000, fileAgeMs: 0 });
  for (const [index, timestamp] of timestamps.entries()) {
    const file = exampleFile({ job: job ?? {}, metrics: { epoch: index + 1 }, top: { ...top, timestamp } });
    const snapshot = snapshotOf(interpret(file));
    const transition = applySnapshot(run, snapshot, now(10 * index), policy);
    run = transition.run;
    const next = advanceTimeline(timeline, transition, snapshot, now(10 * index));
    timeline = next.timeline;
    all.push(...next.actions);
  }
  const { actions } = advanceTimeline(timeline, endRun(run as Run, 'stopped'), undefined, now(30));
  return [...all, ...actions];
}

const runSpanOf = (timestamps: readonly string[], job: FileOverrides['job'] = {}) =>
  actionsOf(timestamps, { job }).flatMap((action) => (action.kind === 'run_ended' ? [action.span] : []))[0];

describe.each([
  ['1970', '1970-01-01T00:00:05Z'],
  ['2500', '2500-01-01T00:00:00Z'],
  ['the last time that OTLP can express', '2554-07-21T23:34:33.708Z'],
  ['tomorrow', new Date(begin + 86_400_001).toISOString()],
])('a time of %s', (_when, wrong) => {
  test.each([
    ['last timestamp', [at(10), at(20), wrong], {}, { startMs: begin, endMs: begin + 30_000 }],
    ['first timestamp', [wrong, at(10), at(20)], {}, { startMs: begin, endMs: begin + 20_000 }],
    ['timestamp in each', [wrong, wrong, wrong], {}, { startMs: begin, endMs: begin + 20_000 }],
    ['start', [at(10), at(20)], { start_time: wrong }, { startMs: begin + 10_000, endMs: begin + 20_000 }],
  ])('as %s makes the run neither longer than it was nor empty', (_what, written, job, times) => {
    expect(runSpanOf(written, job)).toMatchObject(times);
  });
});

test('an event of the file in the year 2500 has the time of its snapshot', () => {
  const events = [{ name: 'saved', time: '2500-01-01T00:00:00Z' }];
  const actions = actionsOf([at(10), at(20)], { top: { events } });
  const found = actions.flatMap((action) => (action.kind === 'run_began' ? [] : action.span.events));
  expect(found).toMatchObject([{ name: 'saved', timeMs: begin + 10_000 }]);
});

test('a clock of the training that is a day ahead is used as it is', () => {
  const day = 86_400;
  expect(runSpanOf([at(day - 10), at(day)], { start_time: at(day - 20) })).toMatchObject({
    startMs: begin + (day - 20) * 1000,
    endMs: begin + day * 1000,
  });
});

test('a run without start_time begins with its first timestamp, by the clock of the training', () => {
  const span = runSpanOf([at(-50), at(-40)], { start_time: undefined });
  expect(span).toMatchObject({ startMs: begin - 50_000, endMs: begin - 40_000 });
});

/** The first action of a bridge that started `startedSecond` after the run. */
function beginning(
  startedSecond: number,
  {
    file = {},
    wasThere = true,
    saved,
  }: { file?: FileOverrides; wasThere?: boolean; saved?: SavedRunSpan } = {},
) {
  const unixMs = begin + startedSecond * 1000;
  const now = {
    unixMs,
    monotonicMs: 5,
    fileAgeMs: 0,
    ...(wasThere && { startedMonotonicMs: 5, foundAtStart: true }),
  };
  const snapshot = snapshotOf(interpret(exampleFile(file)));
  const timeline = newTimeline({ ...bridge, startedUnixMs: unixMs, saved });
  const { actions } = advanceTimeline(
    timeline,
    applySnapshot(undefined, snapshot, now, policy),
    snapshot,
    now,
  );
  const [action] = actions.flatMap((each) => (each.kind === 'run_began' ? [each] : []));
  if (action === undefined) throw new Error('no run began');
  return action;
}

const epoch = (number: number, batch = 1) => ({ metrics: { epoch: number, batch_number: batch } });
const unnamed = { job: { start_time: undefined } };

test.each([
  ['a minute after the run began', true, beginning(60)],
  ['a minute after the run began, the first epoch being open', true, beginning(60, { file: epoch(1, 0) })],
  ['together with the trainer', false, beginning(9)],
  ['before the trainer', false, beginning(-60)],
  [
    'before the file appeared, whose start_time is older',
    false,
    beginning(60, { file: epoch(1, 7), wasThere: false }),
  ],
  ['for a job that resumes with its start_time', true, beginning(60, { file: epoch(2), wasThere: false })],
  [
    'beside a file without start_time, in its third epoch',
    true,
    beginning(0, { file: { ...epoch(3), ...unnamed } }),
  ],
  [
    'beside a file without start_time, in its third batch',
    true,
    beginning(0, { file: { ...epoch(1, 3), ...unnamed } }),
  ],
  [
    'beside a file without start_time, in its first batch',
    false,
    beginning(0, { file: { ...epoch(1), ...unnamed } }),
  ],
])('a bridge that is started %s: its run is partial is %s', (_when, partial, { run }) => {
  expect(run.partial).toBe(partial);
});

test.each([
  ['a minute after the run began', true, beginning(60)],
  ['together with the trainer, whose file it finds', true, beginning(9)],
  ['before the file appeared', false, beginning(9, { wasThere: false })],
  [
    'before the file appeared, whose start_time is older',
    false,
    beginning(60, { file: epoch(1, 7), wasThere: false }),
  ],
  ['for a job that resumes with its start_time', true, beginning(60, { file: epoch(2), wasThere: false })],
  [
    'beside a file without start_time, in its first batch',
    true,
    beginning(0, { file: { ...epoch(1), ...unnamed } }),
  ],
])('a bridge that is started %s: its span has an id of its own is %s', (_when, isOwn, { run }) => {
  expect(run.key.part !== undefined).toBe(isOwn);
  expect(spanIdOf(run.key) !== spanIdOf({ ...run.key, part: undefined })).toBe(isOwn);
});

test('the span of a bridge that was killed is taken over, and one that was sent is not', () => {
  const run = spanIdOf(beginning(0, { wasThere: false }).run.key);
  const first = beginning(5, { saved: { run, part: undefined, isSent: false } });
  expect(first).toMatchObject({ isTakenOver: true, run: { partial: true, key: { part: undefined } } });
  const second = beginning(60, { saved: { run, part: 'a', isSent: false } });
  expect(second).toMatchObject({ isTakenOver: true, run: { partial: true, key: { part: 'a' } } });
  const third = beginning(5, { saved: { run, part: 'a', isSent: true } });
  expect(third).toMatchObject({ isTakenOver: false, run: { partial: true } });
  expect(third.run.key.part).not.toBe('a');
  expect(third.run.key.part).toBeDefined();
  const other = beginning(5, { saved: { run: 'of another run', part: 'a', isSent: false } });
  expect(other).toMatchObject({ isTakenOver: false, run: { partial: false, key: { part: undefined } } });
});
