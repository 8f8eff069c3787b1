import type { RunMetricName, TrainingFieldOf } from '../catalogue/metrics.ts';
import { runAttributes, runStates } from '../catalogue/metrics.ts';
import { estimatedRemainingMs, progressOf } from '../run/estimate.ts';
import type { Progress } from '../run/progress.ts';
import { ranksOf } from '../run/ranks.ts';
import type { Run } from '../run/run.ts';
import type { RankReading } from '../snapshot/rank-reading.ts';
import { type Observation, observed } from './observe.ts';

/** How each counter of the catalogue is read from a run. A counter that is missing here is a type error. */
const counterValues: Readonly<
  Record<TrainingFieldOf<'counter'>, (progress: Progress) => number | undefined>
> = {
  batch_number: ({ batches }) => batches,
  epoch: ({ epoch }) => epoch,
};

/** How any counter is read. A run that has not begun has no counts. */
export function counterValue(
  { state, progress }: Run,
  field: TrainingFieldOf<'counter'>,
): number | undefined {
  return state === 'waiting' ? undefined : counterValues[field](progress);
}

/** How any gauge is read: the value in the latest snapshot, including NaN, until the file is stale. */
export function gaugeValue({ fresh, latest }: Run, field: TrainingFieldOf<'gauge'>): number | undefined {
  return fresh ? (latest.values[field] ?? latest.nonFinite.get(field)) : undefined;
}

/** How an extra metric is read, like a gauge of the catalogue. */
export function extraValue({ fresh, latest }: Run, name: string): number | undefined {
  return fresh ? (latest.extras.get(name) ?? latest.nonFinite.get(name)) : undefined;
}

/** How each metric of `runMetrics` is read; the run is undefined while none has begun. */
export const runMetricValues: Readonly<
  Record<RunMetricName, (run: Run | undefined, otherRanks: readonly RankReading[]) => Iterable<Observation>>
> = {
  state: (run) => {
    const current = run?.state ?? 'waiting';
    return runStates.map((state) => ({ value: Number(state === current), attributes: { state } }));
  },
  lastStepTime: (run) =>
    observed(run === undefined || run.state === 'waiting' ? undefined : run.lastStep.unixMs / 1000),
  nonFinite: (run) =>
    run === undefined || run.state === 'waiting'
      ? []
      : Array.from(new Map([...lossesAtZero, ...run.nonFinite]), ([field, value]) => ({
          value,
          attributes: { field },
        })),
  rankStep: (run, otherRanks) => ofRanks(ranksOf(run, otherRanks), ({ step }) => step),
  rankStepDuration: (run, otherRanks) =>
    ofRanks(ranksOf(run, otherRanks), ({ stepMs }) => (stepMs === undefined ? undefined : stepMs / 1000)),
  progress: (run) => observed(run && progressOf(run)),
  estimatedRemaining: (run) => {
    const ms = run && estimatedRemainingMs(run);
    return observed(ms === undefined ? undefined : ms / 1000);
  },
};

function ofRanks(
  ranks: readonly RankReading[],
  read: (reading: RankReading) => number | undefined,
): readonly Observation[] {
  return ranks.flatMap((reading) =>
    observed(read(reading)).map((it) => ({ ...it, attributes: { [runAttributes.rank]: reading.rank } })),
  );
}

/** These series begin at zero, because rate() does not see the first increase of a series that begins above zero. */
const lossesAtZero = (['training_loss', 'validation_loss'] satisfies TrainingFieldOf<'gauge'>[]).map(
  (field) => [field, 0] as const,
);
