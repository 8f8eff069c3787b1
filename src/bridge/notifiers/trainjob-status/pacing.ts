import type { PostResult } from './post.ts';

/** When the next status may be posted. Times are of the monotonic clock. */
export interface Pacing {
  readonly intervalMs: number;
  readonly nextMs: number;
}

/**
 * All TrainJobs of a cluster share five posts a second: the default rate limit of the controller's client. Beyond it,
 * posts wait in the controller and are then dropped, so slow answers are the sign that there are too many.
 */
const minIntervalMs = 30_000;
const maxIntervalMs = 600_000;
const slowMs = 2_000;

export const initialPacing: Pacing = { intervalMs: minIntervalMs, nextMs: Number.NEGATIVE_INFINITY };

export interface PostOutcome {
  readonly result: PostResult;
  readonly tookMs: number;
  readonly nowMs: number;
}

/**
 * The interval doubles after a failure or a slow answer, and becomes shorter again with fast ones. The actual pause is up
 * to half as long again, so that jobs that started together do not post together.
 *
 * @param random from 0 to 1
 */
export function paceAfter({ intervalMs }: Pacing, outcome: PostOutcome, random: number): Pacing {
  const { result, tookMs, nowMs } = outcome;
  const isWell = result.status === 'ok' && tookMs < slowMs;
  const next = isWell ? Math.max(minIntervalMs, intervalMs * 0.75) : Math.min(maxIntervalMs, intervalMs * 2);
  const askedMs = result.status === 'failed' ? Math.min(result.retryAfterMs ?? 0, maxIntervalMs) : 0;
  return { intervalMs: next, nextMs: nowMs + Math.max(next, askedMs) * (1 + random / 2) };
}
