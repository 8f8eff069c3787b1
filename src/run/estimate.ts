import { remainingMs } from './pace.ts';
import { shareDone } from './position.ts';
import type { Run } from './run.ts';

/** Share of the run that is done, until the file is stale. */
export const progressOf = ({ fresh, position }: Run): number | undefined =>
  fresh && position !== undefined ? shareDone(position) : undefined;

/** Estimated time until the run is done; undefined if it is unknown, or the run does not advance. */
export function estimatedRemainingMs({ state, fresh, position, pace, latest }: Run): number | undefined {
  if (state !== 'running' || !fresh) return undefined;
  const byPace = position && remainingMs(pace, position);
  const ms = byPace ?? latest.reportedProgress?.remainingMs;
  // A total near the largest double, in milliseconds, would be infinite.
  return Number.isFinite(ms) ? ms : undefined;
}
