import type { RunMetricName, TrainingFieldOf } from '../catalogue/metrics.ts';
import { runStates } from '../catalogue/metrics.ts';
import type { Progress } from '../run/progress.ts';
import type { Run } from '../run/run.ts';
import { type Observation, observed } from './observe.ts';

/** How each counter of the catalogue is read from a run. A counter that is not here does not compile. */
const counterValues: Readonly<
  Record<TrainingFieldOf<'counter'>, (progress: Progress) => number | undefined>
> = {
  batch_number: ({ batches }) => batches,
  epoch: ({ epoch }) => epoch,
};

/** How any counter is read. A run that is waited for has not counted anything. */
export function counterValue(
  { state, progress }: Run,
  field: TrainingFieldOf<'counter'>,
): number | undefined {
  return state === 'waiting' ? undefined : counterValues[field](progress);
}

/** How any gauge is read: the value in the latest snapshot, NaN included, until the file is stale. */
export function gaugeValue({ fresh, latest }: Run, field: TrainingFieldOf<'gauge'>): number | undefined {
  return fresh ? (latest.values[field] ?? latest.nonFinite.get(field)) : undefined;
}

/** The same for an extra metric. */
export function extraValue({ fresh, latest }: Run, name: string): number | undefined {
  return fresh ? (latest.extras.get(name) ?? latest.nonFinite.get(name)) : undefined;
}

/** How each metric of `runMetrics` is read; `undefined` is a run that is still waited for. */
export const runMetricValues: Readonly<
  Record<RunMetricName, (run: Run | undefined) => Iterable<Observation>>
> = {
  state: (run) => {
    const present = run?.state ?? 'waiting';
    return runStates.map((state) => ({ value: Number(state === present), attributes: { state } }));
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
};

/** From zero on, because rate() cannot see a counter's first step where its first value is already that step. */
const lossesAtZero = (['training_loss', 'validation_loss'] satisfies TrainingFieldOf<'gauge'>[]).map(
  (field) => [field, 0] as const,
);
