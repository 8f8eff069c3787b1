import { describe, expect, it } from 'vitest';
import { addWrite, type WriteGaps, writeLimits } from '../../src/run/write-gaps.ts';

const settings = { staleAfterMs: 300_000, stallAfterMs: 600_000 };
const gapsOf = (...writtenMs: readonly number[]): { writeGaps: WriteGaps | undefined } => ({
  writeGaps: writtenMs.reduce<WriteGaps | undefined>(addWrite, undefined),
});
const minutes = 60_000;

describe('the limits of a run', () => {
  it('are the settings without a run, and for a file that is no log', () => {
    expect(writeLimits(undefined, settings)).toEqual(settings);
    expect(writeLimits({ writeGaps: undefined }, settings)).toEqual(settings);
  });

  it('do not call a run stalled before the second write', () => {
    expect(writeLimits(gapsOf(0), settings).stallAfterMs).toBe(Number.POSITIVE_INFINITY);
    expect(writeLimits(gapsOf(0, 1_000), settings)).toEqual(settings);
  });

  it('are three times the longest gap of a log that is written once an epoch', () => {
    expect(writeLimits(gapsOf(0, 20 * minutes, 35 * minutes), settings)).toEqual({
      staleAfterMs: 60 * minutes,
      stallAfterMs: 60 * minutes,
    });
  });

  it('forget a gap after twenty others, and are at most a day', () => {
    const later = Array.from({ length: 20 }, (_, index) => 20 * minutes + (index + 1) * 1_000);
    expect(writeLimits(gapsOf(0, 20 * minutes, ...later), settings)).toEqual(settings);
    expect(writeLimits(gapsOf(0, 3_000 * minutes), settings).staleAfterMs).toBe(24 * 60 * minutes);
  });

  it('do not count several records of one write', () => {
    expect(gapsOf(0, 1_000, 1_000, 1_000).writeGaps?.gapsMs).toEqual([1_000]);
  });
});
