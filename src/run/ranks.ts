import { type RankReading, rankComputeField } from '../snapshot/rank-reading.ts';
import type { Run } from './run.ts';

/**
 * The ranks of a run: its own, if it has one and its file is fresh, and others, which were read from files of their own.
 * None while the run has not begun or is over.
 */
export function ranksOf(run: Run | undefined, others: readonly RankReading[]): readonly RankReading[] {
  if (run === undefined || (run.state !== 'running' && run.state !== 'stalled')) return [];
  const own = run.fresh ? ownReading(run) : undefined;
  return own === undefined ? others : [own, ...others.filter(({ rank }) => rank !== own.rank)];
}

function ownReading({ labels: { rank }, latest, progress }: Run): RankReading | undefined {
  if (rank === undefined) return undefined;
  return {
    rank,
    step: latest.values.global_step ?? progress.batches,
    stepMs: latest.extras.get(rankComputeField) ?? latest.values.processing_time_ms,
  };
}
