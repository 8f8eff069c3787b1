import { type RunState, runAttributes, runMetrics, runStates } from '../../catalogue/metrics.ts';
import { type Curve, emptyCurve, extendCurve } from '../../cli/terminal/curve.ts';
import { groupBy } from '../../common/group-by.ts';
import type { Point, ReceivedRequest } from './receiver/receiver.ts';

/** What the screen shows of the received requests. Its size depends on the number of metrics, not of requests. */
export interface DemoState {
  /** The latest points of each metric, by metric name. */
  readonly latest: ReadonlyMap<string, readonly Point[]>;
  /** Loss of the current run. */
  readonly curve: Curve;
  /** Which run the curve is of; undefined before the first. */
  readonly run: string | undefined;
  /** Accepted requests. */
  readonly requests: number;
}

export const initialState: DemoState = {
  latest: new Map(),
  curve: emptyCurve,
  run: undefined,
  requests: 0,
};

const names = { loss: 'ml.training.loss', batch: 'ml.training.batch_number', epoch: 'ml.training.epoch' };

/** The state after a request. A rejected request does not change it. */
export function observe(state: DemoState, request: ReceivedRequest): DemoState {
  if (request.reply !== 'ok') return state;
  const byMetric = groupBy(request.points, (point) => point.metric);
  const run = identity(byMetric) ?? state.run;
  const sameRun = run === state.run;
  const latest = new Map(sameRun ? state.latest : withoutRun(state.latest));
  for (const [metric, points] of byMetric) latest.set(metric, latestCollection(points));
  const curve = addLosses(sameRun ? state.curve : emptyCurve, byMetric);
  return { latest, curve, run, requests: state.requests + 1 };
}

/** The latest point of a metric; undefined before it has arrived. */
export function latestPoint(state: DemoState, metric: string): Point | undefined {
  return state.latest.get(metric)?.[0];
}

/** The state whose gauge is 1; undefined before one has arrived. */
export function runState(state: DemoState): RunState | undefined {
  const current = state.latest.get(runMetrics.state.name)?.find((point) => point.value === 1);
  return runStates.find((name) => name === current?.attributes.state);
}

/** The epoch reached; undefined before it has arrived. */
export const epochOf = (state: DemoState): number | undefined => latestPoint(state, names.epoch)?.value;

/** A restarted job keeps its ID, so the start time of its counters identifies the run. */
function identity(byMetric: ReadonlyMap<string, readonly Point[]>): string | undefined {
  const counter = (byMetric.get(names.epoch) ?? byMetric.get(names.batch))?.at(-1);
  return counter && JSON.stringify([counter.attributes[runAttributes.jobId] ?? null, counter.startTimeMs]);
}

const withoutRun = (latest: DemoState['latest']) =>
  [...latest].filter(([, points]) => points.every((point) => !(runAttributes.jobId in point.attributes)));

/** A request after an outage contains several collections of one metric. */
function latestCollection(points: readonly Point[]): readonly Point[] {
  const latest = Math.max(...points.map((point) => point.timeMs));
  return points.filter((point) => point.timeMs === latest);
}

function addLosses(curve: Curve, byMetric: ReadonlyMap<string, readonly Point[]>): Curve {
  const valueAt = (metric: string, timeMs: number) =>
    byMetric.get(metric)?.find((point) => point.timeMs === timeMs)?.value;
  return (byMetric.get(names.loss) ?? []).reduce((extended, { timeMs, value }) => {
    const sample = { batch: valueAt(names.batch, timeMs), epoch: valueAt(names.epoch, timeMs), value };
    // An export without a new snapshot repeats the last values and adds no sample.
    const repeated = sample.batch !== undefined && sample.batch === extended.latest?.batch;
    return repeated && value === extended.latest?.value ? extended : extendCurve(extended, sample);
  }, curve);
}
