import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mulberry32 } from '../../src/commands/simulate/random.ts';
import { spreadOf } from '../../src/common/jitter.ts';
import { retryDelay } from '../../src/otlp/retry-delay.ts';

const exportIntervalMs = 15_000;
const maxMs = spreadOf(exportIntervalMs);
const delay = (failures: number, random: number, askedMs = 0) =>
  retryDelay({ failures, maxMs, askedMs, random: () => random });

describe('the pause before an attempt', () => {
  it('is at least twice as long after each failure, up to half of the longest', () => {
    const shortest = [1, 2, 3, 4, 5, 6, 100].map((failures) => delay(failures, 0));
    expect(shortest).toEqual([125, 250, 500, 1_000, 2_000, 2_500, 2_500]);
  });

  it('is at most the longest', () => {
    for (const failures of [1, 5, 100]) expect(delay(failures, 1)).toBe(5_000);
  });

  it('is at least as long as the Collector asks for, up to five minutes, and spread in the same way', () => {
    expect(delay(1, 0, 30_000)).toBe(30_000);
    expect(delay(1, 1, 30_000)).toBe(34_875);
    expect(delay(1, 0, 3_600_000)).toBe(300_000);
  });
});

/** When each of many bridges, whose exports fail at 0, first tries after the Collector is back. */
function firstAttempts(bridges: number, outageMs: number, seed: number, askedMs: number): number[] {
  const random = mulberry32(seed);
  return Array.from({ length: bridges }, () => {
    let atMs = 0;
    for (let failures = 1; atMs <= outageMs; failures++)
      atMs += retryDelay({ failures, maxMs, askedMs, random });
    return atMs - outageMs;
  });
}

/** The largest share of the attempts within one second. */
function largestShare(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  const counts = sorted.map((start, index) => sorted.slice(index).filter((at) => at < start + 1_000).length);
  return Math.max(...counts) / times.length;
}

describe('bridges that lost the Collector at the same moment', () => {
  const outage = fc.oneof(fc.nat(2_000), fc.nat(120_000));
  // With a uniform spread, 0.2 of them come in each second; with the same pause for all, nearly all of them.
  const bridges = 400;
  const atMost = 0.5;

  it('come back within a third of an export interval, spread over it, however long it was away', () => {
    fc.assert(
      fc.property(outage, fc.nat(1_000_000), (outageMs, seed) => {
        const times = firstAttempts(bridges, outageMs, seed, 0);
        expect(Math.max(...times)).toBeLessThanOrEqual(exportIntervalMs / 3);
        expect(largestShare(times)).toBeLessThan(atMost);
      }),
    );
  });

  it('are spread, too, when the Collector tells all of them to wait', () => {
    fc.assert(
      fc.property(fc.integer({ min: 5_000, max: 60_000 }), fc.nat(1_000_000), (askedMs, seed) => {
        expect(largestShare(firstAttempts(bridges, askedMs / 2, seed, askedMs))).toBeLessThan(atMost);
      }),
    );
  });
});
