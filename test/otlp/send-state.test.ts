import { status } from '@grpc/grpc-js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExportOutcome } from '../../src/otlp/classify-response.ts';
import { exportLease } from '../../src/otlp/export-lease.ts';
import type { ExportRequest } from '../../src/otlp/export-request.ts';
import { createMemoryQueue } from '../../src/otlp/queue/memory-queue.ts';
import { createQueue } from '../../src/otlp/queue/queue.ts';
import { applyOutcome, initialSendState, type SendState } from '../../src/otlp/send-state.ts';

const retry = (cause: 'no_answer' | 'no_credentials' | 'later'): ExportOutcome => ({
  status: 'retry',
  cause,
  reason: '',
});
const success: ExportOutcome = { status: 'success' };
const split: ExportOutcome = { status: 'split', reason: '', code: status.INVALID_ARGUMENT };
const rejected: ExportOutcome = {
  status: 'rejected',
  reason: '',
  code: status.INVALID_ARGUMENT,
  dropReason: 'rejected',
  divisible: true,
};

describe('an answer', () => {
  const patienceMs = 100;
  const state = (change: Partial<SendState>): SendState => ({ ...initialSendState, ...change });
  it.each<[string, SendState, ExportOutcome, number, number, string, Partial<SendState>]>([
    [
      'accepted',
      state({ limit: 2, laterSinceMs: 5 }),
      success,
      2,
      9,
      'acknowledge',
      { limit: 4, laterSinceMs: undefined },
    ],
    ['refused for good', state({ limit: 1 }), rejected, 1, 9, 'acknowledge', { limit: 2 }],
    ['refused of several', state({}), split, 9, 9, 'split', { limit: 4 }],
    ['refused of two', state({ limit: 3 }), split, 2, 9, 'split', { limit: 1 }],
    ['none', state({ laterSinceMs: 5 }), retry('no_answer'), 3, 500, 'wait', { laterSinceMs: undefined }],
    [
      'none, because it was not sent',
      state({ laterSinceMs: 5 }),
      retry('no_credentials'),
      3,
      500,
      'wait',
      { laterSinceMs: undefined },
    ],
    ['later, at first', state({}), retry('later'), 3, 9, 'wait', { laterSinceMs: 9 }],
    ['later, again', state({ laterSinceMs: 9 }), retry('later'), 3, 108, 'wait', { laterSinceMs: 9 }],
    ['later for long, of several', state({ laterSinceMs: 9 }), retry('later'), 3, 109, 'wait', { limit: 1 }],
    [
      'later for long, of one',
      state({ laterSinceMs: 9 }),
      retry('later'),
      1,
      109,
      'bypass',
      { laterSinceMs: 9 },
    ],
  ])('%s', (_name, before, outcome, count, nowMs, action, after) => {
    const applied = applyOutcome(before, outcome, count, nowMs, patienceMs);
    expect(applied.action).toBe(action);
    expect(applied.state).toMatchObject(after);
  });
});

type Nature = 'good' | 'bad' | 'poison';
interface Story {
  readonly requests: readonly Nature[];
  /** Of the turns of the sender: what it meets whatever it sends. */
  readonly weather: readonly ('no_answer' | 'later' | 'clear')[];
  /** The most a gateway takes. */
  readonly most: number;
}

/** Sends what is told in a story, a turn every five minutes, and then until nothing changes. */
async function tell({ requests, weather, most }: Story) {
  const queue = createQueue<ExportRequest<number>>({
    memory: createMemoryQueue({ requests: 1_000, bytes: 1_000_000, leaseBytes: 5 }),
    onOverflow: () => expect.unreachable('nothing overflows'),
  });
  for (const data of requests.keys()) queue.push({ kind: 'snapshot', data, bytes: 1 });
  const accepted: number[] = [];
  const dropped: number[] = [];
  let exports = 0;
  let state = initialSendState;
  const turns = weather.length + 12 * requests.length + 12;
  for (let turn = 0; turn < turns; turn++) {
    const now = weather[turn] ?? 'clear';
    const exportBatch = async (batch: readonly ExportRequest<number>[]): Promise<ExportOutcome> => {
      exports += 1;
      const values = batch.map(({ data }) => data);
      if (now !== 'clear') return retry(now);
      if (values.some((value) => requests[value] === 'poison')) return retry('later');
      if (values.length > most || values.some((value) => requests[value] === 'bad')) {
        if (values.length > 1) return split;
        dropped.push(...values);
        return rejected;
      }
      accepted.push(...values);
      return success;
    };
    const lease = await queue.lease('oldest');
    const options = { canMerge: () => true, exportBatch, nowMs: () => turn * 300_000, patienceMs: 600_000 };
    state = (await exportLease(lease, state, options)).state;
    lease.nack();
  }
  return { accepted, dropped, left: queue.size, exports, turns };
}

const stories = fc.record<Story>({
  requests: fc.array(fc.constantFrom<Nature>('good', 'good', 'good', 'bad'), { maxLength: 30 }),
  weather: fc.array(fc.constantFrom('no_answer', 'later', 'clear'), { maxLength: 30 }),
  most: fc.integer({ min: 1, max: 8 }),
});

const indices = (requests: readonly Nature[], nature: Nature) =>
  [...requests.keys()].filter((index) => requests[index] === nature);

describe('any sequence of answers', () => {
  it('loses nothing but what is refused alone, and ends', async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        const { accepted, dropped, left } = await tell(story);
        expect(accepted.toSorted((a, b) => a - b)).toEqual(indices(story.requests, 'good'));
        expect(dropped.toSorted((a, b) => a - b)).toEqual(indices(story.requests, 'bad'));
        expect(left).toBe(0);
      }),
    );
  });

  it('keeps the order where "later" does not last for ten minutes', async () => {
    const short = stories.map((story) => ({
      ...story,
      weather: story.weather.map((now, turn) => (now === 'later' && turn % 2 === 1 ? 'no_answer' : now)),
    }));
    await fc.assert(
      fc.asyncProperty(short, async (story) => {
        const { accepted } = await tell(story);
        expect(accepted).toEqual(indices(story.requests, 'good'));
      }),
    );
  });

  it('lets all others pass a snapshot that is never answered otherwise than "later"', async () => {
    const poisoned = fc.tuple(stories, fc.nat(30)).map(([story, at]) => ({
      ...story,
      requests: story.requests.toSpliced(at, 0, 'poison' as const),
    }));
    await fc.assert(
      fc.asyncProperty(poisoned, async (story) => {
        const { accepted, left, exports, turns } = await tell(story);
        expect(accepted.toSorted((a, b) => a - b)).toEqual(indices(story.requests, 'good'));
        expect(left).toBe(1);
        expect(exports).toBeLessThan(turns * 10 + story.requests.length * 10);
      }),
    );
  });
});

it('sends what is postponed after the newer ones, and in its turn again once it was accepted', async () => {
  const queue = createQueue<ExportRequest<number>>({
    memory: createMemoryQueue({ requests: 10, bytes: 10 }),
    onOverflow: () => expect.unreachable('nothing overflows'),
  });
  for (const data of [0, 1, 2]) queue.push({ kind: 'snapshot', data, bytes: 1 });
  const sent: number[][] = [];
  const result = await exportLease(
    await queue.lease('oldest'),
    { ...initialSendState, postponed: 1 },
    {
      canMerge: () => true,
      exportBatch: async (batch) => {
        sent.push(batch.map(({ data }) => data));
        return success;
      },
      nowMs: () => 0,
      patienceMs: 1,
    },
  );
  expect(sent).toEqual([[1, 2], [0]]);
  expect(result.state.postponed).toBe(0);
  expect(queue.size).toBe(0);
});
