import { isNumericField } from '../../../catalogue/metrics.ts';
import { estimatedRemainingMs } from '../../../run/estimate.ts';
import { shareDone } from '../../../run/position.ts';
import type { Run } from '../../../run/run.ts';

/**
 * The trainerStatus of a TrainJob, without its lastUpdatedTime. Each post replaces the whole of it.
 *
 * Source: TrainerStatus in pkg/apis/trainer/v1alpha1 of Kubeflow Trainer 2.3.
 */
export interface TrainerStatus {
  /** A whole number from 0 to 100; absent if the length of the run is unknown. */
  readonly progressPercentage?: number;
  /** Whole seconds. */
  readonly estimatedRemainingSeconds?: number;
  readonly metrics: readonly TrainerMetric[];
}

interface TrainerMetric {
  readonly name: string;
  readonly value: string;
}

/** Limits of the resource; a status that exceeds one is refused as a whole. */
const maxMetrics = 256;
const maxSeconds = 2 ** 31 - 1;

const stateMetric = 'state';

/** The status of a run as it is now, with every number of its latest snapshot. */
export function trainerStatusOf(run: Run): TrainerStatus {
  const progress = percentageOf(run);
  const seconds = remainingSecondsOf(run);
  return {
    ...(progress === undefined ? {} : { progressPercentage: progress }),
    ...(seconds === undefined ? {} : { estimatedRemainingSeconds: seconds }),
    metrics: metricsOf(run),
  };
}

/** 100 only at the end, so that a reader can tell a run whose last step is done from one that is over. */
function percentageOf({ state, position }: Run): number | undefined {
  if (state === 'completed') return 100;
  if (position === undefined) return undefined;
  const percentage = Math.floor(shareDone(position) * 100);
  return state === 'ended' || state === 'failed' ? percentage : Math.min(percentage, 99);
}

function remainingSecondsOf(run: Run): number | undefined {
  if (run.state === 'completed') return 0;
  const ms = estimatedRemainingMs(run);
  return ms === undefined ? undefined : Math.min(Math.round(ms / 1000), maxSeconds);
}

/**
 * The state of the run comes first, because the resource has no field for it. A number has at most 24 characters, and the
 * name of an extra metric at most 64; the resource accepts both.
 */
function metricsOf({ state, latest, extras }: Run): readonly TrainerMetric[] {
  const numbers = [...Object.entries(latest.values), ...latest.extras, ...latest.nonFinite];
  const ofRun = numbers.filter(
    ([name]) => isNumericField(name) || (extras.has(name) && name !== stateMetric),
  );
  return [[stateMetric, state] as const, ...ofRun]
    .slice(0, maxMetrics)
    .map(([name, value]) => ({ name, value: String(value) }));
}
