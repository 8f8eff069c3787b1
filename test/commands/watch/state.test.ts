import { describe, expect, it } from 'vitest';
import { mostKept } from '../../../src/cli/terminal/curve.ts';
import { watchLines } from '../../../src/commands/watch/plain.ts';
import { unreadState, type WatchState } from '../../../src/commands/watch/state.ts';
import { estimatedRemainingMs } from '../../../src/run/estimate.ts';
import { type Document, polled, read, stateAfter, trainingExample } from './support.ts';

const texts = ({ events }: WatchState) => events.map(({ text }) => text);
const document = trainingExample[1];
const withStart = (start_time: string) =>
  ({ ...document, job_metadata: { ...document?.job_metadata, start_time } }) as Document;

describe('what is kept of a file', () => {
  it('is the curve of each number, with the validation loss beside the loss', () => {
    const { curves } = stateAfter(trainingExample);
    // The first write has no loss yet.
    const written = trainingExample.slice(1).map(({ training_metrics: it }) => it);
    expect(curves.get('training_loss')?.kept.map(({ value }) => value)).toEqual(
      written.map(({ training_loss }) => training_loss),
    );
    expect(curves.get('training_loss')?.latest?.companion).toBe(written.at(-1)?.validation_loss);
    expect(curves.has('accuracy')).toBe(true);
  });

  it('is the last values and the reason while the file is broken, and both are replaced', () => {
    const state = stateAfter(trainingExample.slice(0, 3));
    const broken = polled(state, { status: 'malformed', reason: 'unexpected end' }, 40);
    expect(broken).toMatchObject({ problem: 'unexpected end', values: state.values });
    expect(texts(polled(broken, { status: 'malformed', reason: 'unexpected end' }, 41))).toEqual([
      'run began: rings-001',
      'unexpected end',
    ]);
    expect(polled(broken, { status: 'unchanged' }, 42).problem).toBeUndefined();
  });

  it('begins again with a new run', () => {
    const state = stateAfter([...trainingExample.slice(0, 9), withStart('2025-10-24T00:00:00Z')]);
    expect(state.curves.get('training_loss')?.seen).toBe(1);
    expect(texts(state).slice(-2)).toEqual(['replaced by another run', 'run began: rings-001']);
  });

  it('is what happened to the run, in the order in which it happened', () => {
    const last = trainingExample.at(-1);
    const failed = {
      ...last,
      status: 'failed',
      error: { type: 'ValueError', message: 'no data' },
    } as Document;
    const nan = {
      ...document,
      training_metrics: { ...document?.training_metrics, training_loss: Number.NaN },
    };
    expect(texts(stateAfter([document as Document, nan as Document, failed]))).toEqual([
      'run began: rings-001',
      'training_loss became NaN',
      'epoch 1 ended',
      'training_loss is finite again',
      'run failed: ValueError: no data',
    ]);
  });

  it('has the times of the records of a log, of which hours are read at once', () => {
    const hour = 3_600;
    const start = Date.UTC(2025, 9, 23, 10, 15);
    const record = (index: number, loss: number) => {
      const metrics = { global_step: index, total_steps: 200, training_loss: loss };
      const outcome = read({ ...document, training_metrics: metrics });
      if (outcome.status !== 'ok') throw new Error(outcome.status);
      const timeMs = start + index * 20 * 60_000;
      return outcome.snapshots.map(({ snapshot }) => ({ snapshot, timeMs, hasOwnTime: true }));
    };
    const steps = Array.from({ length: 30 }, (_, index) => index + 1);
    const snapshots = steps.flatMap((index) => record(index, index === 9 ? Number.NaN : 1));
    const state = polled(unreadState('log.jsonl'), { status: 'ok', snapshots }, 10 * hour, 60_000);
    expect(texts(state)).toEqual([
      'run began: rings-001',
      'training_loss became NaN',
      'training_loss is finite again',
    ]);
    expect(state.events[1]?.unixMs).toBe(start + 3 * hour * 1000);
    expect(state.run?.state).toBe('running');
    expect(state.run && estimatedRemainingMs(state.run)).toBe(170 * 20 * 60_000);
  });

  it('says that a log is not written any more after what it holds', () => {
    const records = trainingExample.slice(1, 30).map(read);
    const snapshots = records.flatMap((it) => (it.status === 'ok' ? it.snapshots : []));
    const state = polled(unreadState('log.jsonl'), { status: 'ok', snapshots }, 7200, 3_600_000);
    expect(texts(state)).toEqual([
      'run began: rings-001',
      'epoch 1 ended',
      'epoch 2 ended',
      'the file is not written any more',
      'the step does not advance any more',
    ]);
    expect(state.events[0]?.unixMs).toBe(Date.UTC(2025, 9, 23, 11, 15));
  });

  it('names two jobs that write one file once, and a file that is half-written now and then', () => {
    const other = { ...document, job_metadata: { ...document?.job_metadata, job_id: 'other' } } as Document;
    const writes = Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? document : other) as Document);
    const { events } = stateAfter(writes);
    expect(events.filter(({ text }) => text === 'two jobs write this file')).toHaveLength(1);
    let state = stateAfter([document as Document]);
    for (let second = 20; second < 40; second++)
      state = polled(
        state,
        second % 2 === 0 ? { status: 'malformed', reason: 'half' } : { status: 'unchanged' },
        second,
      );
    expect(texts(state)).toEqual(['run began: rings-001', 'half']);
  });

  it('is of constant size', () => {
    let state = stateAfter([document as Document]);
    for (let step = 2; step < 3000; step++) {
      const training_metrics = { global_step: step, training_loss: step % 2 === 0 ? Number.NaN : step };
      state = polled(state, read({ ...document, training_metrics }), step);
    }
    expect(state.events).toHaveLength(50);
    for (const { kept } of state.curves.values()) expect(kept.length).toBeLessThanOrEqual(mostKept);
  });
});

it('without a terminal, a line is printed for each write and each event', () => {
  let state = unreadState('/shared/metrics/current.json');
  const lines = trainingExample.slice(0, 5).flatMap((it, index) => {
    const before = state;
    state = polled(state, read(it), index * 10);
    return watchLines(before, state);
  });
  expect(lines).toEqual([
    expect.stringMatching(/^rings-001 {2}run began: rings-001$/),
    expect.stringMatching(/^rings-001 {2}epoch 1 {2}global_step 0 .* 0\.0 %$/),
    expect.stringMatching(/^rings-001 {2}epoch 1 {2}global_step 2 {2}.*training_loss 0\.\d+ .* 2\.0 %$/),
    expect.stringMatching(/^rings-001 .* 4\.0 %$/),
    expect.stringMatching(/^rings-001 .* 6\.0 %, about \d+ minutes left$/),
    expect.stringMatching(/^rings-001 .* 8\.0 %, about \d+ minutes left$/),
  ]);
});
