import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { type Deferred, deferred } from '../../src/common/timing.ts';
import { createBoundedPoller } from '../../src/snapshot/poll.ts';
import type { Poll } from '../../src/snapshot/source.ts';
import { until } from '../support/until.ts';

/** A poller whose calls return when the test says so. */
function setUp({ limitMs = 20, graceMs = 20 } = {}) {
  const reads: Deferred<Poll>[] = [];
  const stats: Deferred<void>[] = [];
  const call = <T>(calls: Deferred<T>[]) => {
    const next = deferred<T>();
    calls.push(next);
    return next.promise;
  };
  const ages = { fileAgeMs: 3, snapshotAgeMs: 4 };
  const controller = new AbortController();
  const poller = createBoundedPoller(
    { source: { content: 'state', poll: () => call(reads), stat: () => call(stats), ages: () => ages } },
    { clock: systemClock, signal: controller.signal, graceMs, limitMs },
  );
  return { poller, reads, stats, ages, controller };
}
const unchanged: Poll = {
  outcome: { status: 'unchanged' },
  moment: systemClock(),
  fileAgeMs: 1,
  snapshotAgeMs: 2,
};

describe('a read that hangs', () => {
  it('is the outcome hung, with ages of now, and is given once it has returned', async () => {
    const { poller, reads, ages } = setUp();
    expect(await poller.poll()).toMatchObject({
      outcome: { status: 'hung', reason: expect.stringMatching(/has not returned for [\d.]+ s/) },
      ...ages,
    });
    expect(poller.late).toBeDefined();
    expect((await poller.poll()).outcome.status).toBe('hung');
    expect(reads).toHaveLength(1);
    reads[0]?.resolve(unchanged);
    expect(await poller.poll()).toBe(unchanged);
    expect(poller.late).toBeUndefined();
  });

  it('is not waited for a second time', async () => {
    const { poller } = setUp({ limitMs: 200 });
    await poller.poll();
    const startMs = performance.now();
    await poller.poll();
    expect(performance.now() - startMs).toBeLessThan(150);
  });

  it('keeps the file from being statted, too: one call at a time', async () => {
    const { poller, stats } = setUp();
    await poller.poll();
    await poller.stat();
    expect(stats).toEqual([]);
  });

  it('is left behind at a shutdown after its grace', async () => {
    const { poller, reads, controller } = setUp({ limitMs: 60_000 });
    const poll = poller.poll();
    controller.abort();
    expect((await poll).outcome.status).toBe('hung');
    reads[0]?.resolve(unchanged);
    expect(await poller.poll()).toBe(unchanged);
  });
});

describe('a stat that hangs', () => {
  it('holds up the caller for its limit, and the next poll is hung until it returns', async () => {
    const { poller, reads, stats } = setUp();
    await poller.stat();
    expect(poller.late).toBeDefined();
    expect((await poller.poll()).outcome.status).toBe('hung');
    expect(reads).toEqual([]);
    stats[0]?.resolve();
    await until(() => reads.length === 1, 'the read that waited for it');
    reads[0]?.resolve(unchanged);
    expect(await poller.poll()).toBe(unchanged);
  });
});

it('an error of a call is passed on, and the next call is made anew', async () => {
  const { poller, reads } = setUp({ limitMs: 1_000 });
  const poll = poller.poll();
  reads[0]?.reject(new Error('a mistake in the program'));
  await expect(poll).rejects.toThrow('a mistake');
  const next = poller.poll();
  expect(reads).toHaveLength(2);
  reads[1]?.resolve(unchanged);
  expect(await next).toBe(unchanged);
});
