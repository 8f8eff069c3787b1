import { describe, expect, it } from 'vitest';
import {
  initialPacing,
  type Pacing,
  paceAfter,
} from '../../../../src/bridge/notifiers/trainjob-status/pacing.ts';
import type { PostResult } from '../../../../src/bridge/notifiers/trainjob-status/post.ts';

const ok: PostResult = { status: 'ok' };
const failed: PostResult = { status: 'failed', reason: 'HTTP status 429' };

/** The pauses in seconds after each of these posts, which take this long. */
function pausesAfter(posts: readonly (readonly [PostResult, number])[], random = 0): readonly number[] {
  let pacing: Pacing = initialPacing;
  return posts.map(([result, tookMs]) => {
    pacing = paceAfter(pacing, { result, tookMs, nowMs: 1_000 }, random);
    return Math.round((pacing.nextMs - 1_000) / 1_000);
  });
}

const times = <T>(count: number, value: T): readonly T[] => Array.from({ length: count }, () => value);

describe('the pause after a post', () => {
  it('is 30 s while answers are fast', () => {
    expect(pausesAfter(times(3, [ok, 50] as const))).toEqual([30, 30, 30]);
  });

  it.each([
    ['a failure', failed, 50],
    ['a rejection', { status: 'rejected', httpStatus: 403, detail: undefined } as const, 50],
    ['a slow answer', ok, 2_500],
  ])('doubles after %s, up to ten minutes', (_what, result, tookMs) => {
    expect(pausesAfter(times(6, [result, tookMs] as const))).toEqual([60, 120, 240, 480, 600, 600]);
  });

  it('becomes shorter again with fast answers', () => {
    expect(pausesAfter([...times(2, [failed, 50] as const), ...times(6, [ok, 50] as const)])).toEqual([
      60, 120, 90, 68, 51, 38, 30, 30,
    ]);
  });

  it('is longer by up to a half, at random', () => {
    expect(pausesAfter([[ok, 50]], 1)).toEqual([45]);
    expect(pausesAfter([[ok, 50]], 0.5)).toEqual([38]);
  });

  it('is what a server asks for, at most ten minutes', () => {
    const asked = (retryAfterMs: number) => pausesAfter([[{ ...failed, retryAfterMs }, 50]]);
    expect([asked(1_000), asked(90_000), asked(9e9)]).toEqual([[60], [90], [600]]);
  });
});
