import type { Random } from '../../common/jitter.ts';

/**
 * The mulberry32 generator. In contrast to Math.random, the same seed gives the same numbers on every machine. Its 32 bits
 * of state suffice for noise on a curve, not for cryptography.
 *
 * @param seed whole number from 0 to 2^32 - 1
 */
export function mulberry32(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal number from two uniform ones. Source: Box and Muller. */
export function gaussian(random: Random): number {
  // 1 - random() is never 0, whose logarithm would be infinite.
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
