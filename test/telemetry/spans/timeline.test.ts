import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applySnapshot, applyTime, endRun } from '../../../src/run/advance.ts';
import type { Run, RunPolicy } from '../../../src/run/run.ts';
import { interpret } from '../../../src/snapshot/interpret.ts';
import { advanceTimeline, newTimeline, type SpanAction } from '../../../src/telemetry/spans/timeline.ts';
import { exampleFile } from '../../support/file.ts';
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
const at = (second: number) => new Date(begin + second * 1000).toISOString();

test('spans are whole and in order, whatever is written', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(write, fc.constant(undefined)), { maxLength: 40 }), (writes) => {
      let run: Run | undefined;
      let timeline = newTimeline('instance');
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
  let timeline = newTimeline('instance');
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

const neverSet = '1970-01-01T00:00:05Z';

test.each([
  ['last timestamp', [at(10), at(20), neverSet], {}, { startMs: begin, endMs: begin + 30_000 }],
  ['first timestamp', [neverSet, at(10), at(20)], {}, { startMs: begin, endMs: begin + 20_000 }],
  ['timestamp in each', [neverSet, neverSet, neverSet], {}, { startMs: begin, endMs: begin + 20_000 }],
  ['start', [at(10), at(20)], { start_time: 5 }, { startMs: begin + 10_000, endMs: begin + 20_000 }],
])('a %s of 1970 makes the run neither decades long nor empty', (_what, written, job, times) => {
  let run: Run | undefined;
  let timeline = newTimeline('instance');
  const now = (second: number) => ({ unixMs: begin, monotonicMs: second * 1000, fileAgeMs: 0 });
  for (const [index, timestamp] of written.entries()) {
    const file = exampleFile({ job, metrics: { epoch: index + 1 }, top: { timestamp } });
    const snapshot = snapshotOf(interpret(file));
    const transition = applySnapshot(run, snapshot, now(10 * index), policy);
    run = transition.run;
    timeline = advanceTimeline(timeline, transition, snapshot, now(10 * index)).timeline;
  }
  const { actions } = advanceTimeline(timeline, endRun(run as Run, 'stopped'), undefined, now(30));
  const [span] = actions.flatMap((action) => (action.kind === 'run_ended' ? [action.span] : []));
  expect(span).toMatchObject(times);
});
