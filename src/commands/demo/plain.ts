import { runMetrics, trainingMetrics } from '../../catalogue/metrics.ts';
import { formatLabels, prometheusName } from '../../catalogue/prometheus-name.ts';
import { formatNumber } from './format.ts';
import { type DemoState, epochOf, latestPoint, runState } from './state.ts';

/** What to print where there is no terminal, after `before` has become `after`: a line a change of state, a line an epoch. */
export function newsBetween(before: DemoState, after: DemoState): readonly string[] {
  const epochEnded = runEnded(before, after) || epochOf(after) !== epochOf(before);
  const news = epochEnded ? epochLines(before) : [];
  const present = runState(after);
  if (present === undefined || (present === runState(before) && !runEnded(before, after))) return news;
  return [...news, `run ${present} ${formatLabels(labels(after))}`.trimEnd()];
}

const runEnded = (before: DemoState, after: DemoState) =>
  before.run !== undefined && after.run !== before.run;

const readings = ['training_loss', 'validation_loss', 'accuracy', 'batch_number'];

/** One line with the readings at the end of the present epoch; none before there is one. */
export function epochLines(state: DemoState): readonly string[] {
  const epoch = epochOf(state);
  if (epoch === undefined) return [];
  const values = trainingMetrics
    .filter(({ field }) => readings.includes(field))
    .flatMap((metric) => {
      const point = latestPoint(state, metric.name);
      return point === undefined ? [] : [`${prometheusName(metric)} ${formatNumber(point.value)}`];
    });
  return [[`epoch ${epoch}`, ...values].join('  ')];
}

function labels(state: DemoState) {
  const { state: _state, ...rest } = state.latest.get(runMetrics.state.name)?.[0]?.attributes ?? {};
  return rest;
}
