import { describe, expect, it } from 'vitest';
import type { Post, PostResult } from '../../../../src/bridge/notifiers/trainjob-status/post.ts';
import {
  createStatusSender,
  type StatusSenderOptions,
} from '../../../../src/bridge/notifiers/trainjob-status/sender.ts';
import { until } from '../../../support/until.ts';

interface Pending {
  readonly progress: number;
  readonly abort: AbortSignal;
  answer(result: PostResult): void;
}

/** A sender whose posts are answered by the test, and whose clock is set by it. */
function setUp(options: Partial<StatusSenderOptions> = {}) {
  const posts: Pending[] = [];
  const results: PostResult[] = [];
  let nowMs = 0;
  const post: Post = (body, abort) =>
    new Promise((answer) => {
      posts.push({ progress: JSON.parse(body).trainerStatus.progressPercentage, abort, answer });
    });
  const sender = createStatusSender({
    post,
    onResult: (result) => results.push(result),
    clock: () => ({ unixMs: nowMs, monotonicMs: nowMs }),
    requestTimeoutMs: 60_000,
    random: () => 0,
    ...options,
  });
  return {
    posts,
    results,
    sender,
    offer(seconds: number, progressPercentage: number, urgency: 'regular' | 'end' = 'regular') {
      nowMs = seconds * 1_000;
      sender.offer(() => ({ status: { progressPercentage, metrics: [] }, unixMs: nowMs }), urgency);
    },
    async answer(result: PostResult = { status: 'ok' }) {
      const before = results.length;
      posts.at(-1)?.answer(result);
      await until(() => results.length > before, 'the result');
    },
    sent: () => posts.map(({ progress }) => progress),
  };
}

const failed: PostResult = { status: 'failed', reason: 'HTTP status 429' };

describe('the status sender', () => {
  it('posts a change, not oftener than every 30 s, and nothing without a change', async () => {
    const { offer, answer, sent } = setUp();
    offer(0, 1);
    await answer();
    for (const seconds of [10, 20, 29]) offer(seconds, seconds);
    expect(sent()).toEqual([1]);
    offer(31, 31);
    await answer();
    offer(70, 31);
    expect(sent()).toEqual([1, 31]);
    offer(71, 32);
    expect(sent()).toEqual([1, 31, 32]);
  });

  it('has one post under way, and posts what was not accepted again', async () => {
    const { offer, answer, sent } = setUp();
    offer(0, 1);
    offer(100, 2);
    expect(sent()).toEqual([1]);
    await answer(failed);
    offer(159, 1);
    expect(sent()).toEqual([1]);
    offer(161, 1);
    expect(sent()).toEqual([1, 1]);
  });

  it('posts the end of a run at once, in place of what is under way, and once in 30 s', async () => {
    const { offer, answer, sent, posts } = setUp();
    offer(0, 1);
    offer(1, 100, 'end');
    expect(sent()).toEqual([1, 100]);
    expect(posts[0]?.abort.aborted).toBe(true);
    await answer();
    offer(2, 5, 'end');
    expect(sent()).toEqual([1, 100]);
    offer(33, 100, 'end');
    expect(sent()).toEqual([1, 100]);
  });

  it('gives up a request at its deadline', async () => {
    const { offer, results } = setUp({ requestTimeoutMs: 20 });
    offer(0, 1);
    await until(() => results.length > 0, 'the deadline');
    expect(results).toEqual([{ status: 'failed', reason: 'no answer in time' }]);
  });

  describe('at the end', () => {
    it('sends nothing if there was no run, or everything is accepted', async () => {
      const { offer, answer, sender, sent } = setUp();
      expect(await sender.close(1_000)).toBe('accepted');
      offer(0, 1);
      await answer();
      expect(await sender.close(1_000)).toBe('accepted');
      expect(sent()).toEqual([1]);
    });

    it('posts the latest status in place of an older one', async () => {
      const { offer, answer, sender, sent, posts } = setUp();
      offer(0, 1);
      offer(1, 2);
      const closing = sender.close(10_000);
      expect(sent()).toEqual([1, 2]);
      expect(posts[0]?.abort.aborted).toBe(true);
      await answer();
      expect(await closing).toBe('accepted');
    });

    it('waits for a post of the latest status', async () => {
      const { offer, answer, sender, sent } = setUp();
      offer(0, 1);
      const closing = sender.close(10_000);
      await answer();
      expect(await closing).toBe('accepted');
      expect(sent()).toEqual([1]);
    });

    it('repeats what failed', async () => {
      const { offer, answer, sender, sent } = setUp();
      offer(0, 1);
      const closing = sender.close(10_000);
      await answer(failed);
      await until(() => sent().length === 2, 'the repetition');
      await answer();
      expect(await closing).toBe('accepted');
    });

    it('does not repeat what was rejected', async () => {
      const { offer, answer, sender, sent } = setUp();
      offer(0, 1);
      const closing = sender.close(10_000);
      await answer({ status: 'rejected', httpStatus: 403, detail: undefined });
      expect(await closing).toBe('not accepted');
      expect(sent()).toEqual([1]);
    });

    it('abandons a post at the deadline', async () => {
      const { offer, sender, posts } = setUp();
      offer(0, 1);
      expect(await sender.close(20)).toBe('not accepted');
      expect(posts[0]?.abort.aborted).toBe(true);
    });
  });
});
