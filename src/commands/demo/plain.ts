import { runMetrics, trainingMetrics } from '../../catalogue/metrics.ts';
import { formatLabels, prometheusName } from '../../catalogue/prometheus-name.ts';
import { formatNumber } from '../../cli/terminal/format.ts';
import { type DemoState, epochOf, latestPoint, runState } from './state.ts';

/** What to print without a terminal: one line for each change of the run's state and for each epoch. */
export function linesBetween(before: DemoState, after: DemoState): readonly string[] {
  const epochEnded = runEnded(before, after) || epochOf(after) !== epochOf(before);
  const lines = epochEnded ? epochLines(before) : [];
  const current = runState(after);
  if (current === undefined || (current === runState(before) && !runEnded(before, after))) return lines;
  return [...lines, `run ${current} ${formatLabels(labels(after))}`.trimEnd()];
}

const runEnded = (before: DemoState, after: DemoState) =>
  before.run !== undefined && after.run !== before.run;

const shownFields = ['training_loss', 'validation_loss', 'accuracy', 'batch_number'];

/** One line with the values of the current epoch; none before the first epoch. */
export function epochLines(state: DemoState): readonly string[] {
  const epoch = epochOf(state);
  if (epoch === undefined) return [];
  const values = trainingMetrics
    .filter(({ field }) => shownFields.includes(field))
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
