/** When a log was last written, and how long it took between its writes. */
export interface WriteGaps {
  readonly lastWriteMonotonicMs: number;
  /** Of the last writes, oldest first. */
  readonly gapsMs: readonly number[];
}

const maxGaps = 20;
/** A log may be written once an epoch, and epochs differ. */
const longestGapFactor = 3;
const longestLimitMs = 24 * 3_600_000;

/** Adds a write, by the monotonic clock. Several records of one write add nothing. */
export function addWrite(before: WriteGaps | undefined, writtenMonotonicMs: number): WriteGaps {
  if (before === undefined) return { lastWriteMonotonicMs: writtenMonotonicMs, gapsMs: [] };
  const gapMs = writtenMonotonicMs - before.lastWriteMonotonicMs;
  if (gapMs <= 0) return before;
  return {
    lastWriteMonotonicMs: writtenMonotonicMs,
    gapsMs: [...before.gapsMs, gapMs].slice(-maxGaps),
  };
}

export interface WriteLimits {
  readonly staleAfterMs: number;
  readonly stallAfterMs: number;
}

/**
 * The time without a write after which a run is stale, and without a step after which it is stalled. A log that is rarely
 * written has longer limits, from its own gaps. Before its second write its gaps are unknown, and it does not stall.
 */
export function writeLimits(
  run: { readonly writeGaps: WriteGaps | undefined } | undefined,
  { staleAfterMs, stallAfterMs }: WriteLimits,
): WriteLimits {
  if (run?.writeGaps === undefined) return { staleAfterMs, stallAfterMs };
  const { gapsMs } = run.writeGaps;
  const usualMs = Math.min(longestLimitMs, longestGapFactor * Math.max(0, ...gapsMs));
  return {
    staleAfterMs: Math.max(staleAfterMs, usualMs),
    stallAfterMs: gapsMs.length === 0 ? Number.POSITIVE_INFINITY : Math.max(stallAfterMs, usualMs),
  };
}
