import {
  bridgeMetrics,
  type FieldDefinition,
  type MetricDefinition,
  type RunState,
  runAttributes,
  runMetrics,
  type TrainingField,
  trainingMetrics,
} from '../../src/catalogue/metrics.ts';
import { prometheusName } from '../../src/catalogue/prometheus-name.ts';

/** What identifies a bridge in Prometheus: service.name and service.instance.id, by the names they get there. */
const bridgeLabels = 'job, instance';

export const jobLabel = runAttributes.jobId.replaceAll('.', '_');

/** One bridge's part in one job. A job of many pods has many. */
export const runLabels = `${bridgeLabels}, ${jobLabel}`;

/** A metric's series, or those that match, as `name="value"`. */
export function series(metric: MetricDefinition, ...matchers: readonly string[]): string {
  return `${prometheusName(metric)}${braces(matchers)}`;
}

export function field(name: TrainingField): FieldDefinition {
  const metric: FieldDefinition | undefined = trainingMetrics.find((it) => it.field === name);
  if (metric === undefined) throw new Error(`${name} is not in the catalogue`);
  return metric;
}

const braces = (matchers: readonly string[]) => (matchers.length === 0 ? '' : `{${matchers.join(', ')}}`);

export const inStates = (...states: readonly RunState[]) =>
  states.length === 1 ? `state="${states[0]}"` : `state=~"${states.join('|')}"`;

interface HistogramQuery {
  readonly metric: MetricDefinition;
  readonly by: string;
  readonly window: string;
  readonly matchers?: readonly string[];
  /** Looks at the past: `1h` ago. */
  readonly offset?: string;
}

/**
 * Classic buckets where there are any, else the native histogram: which of them a job has is its own setting, and one
 * panel shows jobs of both kinds.
 */
export function histogramQuantile(quantile: number, query: HistogramQuery): string {
  const { metric, by } = query;
  const name = prometheusName(metric);
  const classic = `sum by (${by}, le) (${rate(`${name}_bucket`, query)})`;
  const native = `sum by (${by}) (${rate(name, query)})`;
  return `histogram_quantile(${quantile}, ${classic})\nor\nhistogram_quantile(${quantile}, ${native})`;
}

/** Mean of the measurements in the window, of both kinds of histogram. */
export function histogramMean(query: HistogramQuery): string {
  const { metric, by } = query;
  const name = prometheusName(metric);
  const sum = (suffix: string) => `sum by (${by}) (${rate(`${name}${suffix}`, query)})`;
  return `${sum('_sum')} / ${sum('_count')}\nor\nhistogram_avg(${sum('')})`;
}

function rate(name: string, { matchers = [], window, offset }: HistogramQuery): string {
  return `rate(${name}${braces(matchers)}[${window}]${offset ? ` offset ${offset}` : ''})`;
}

/**
 * A bridge's own series with the job it serves. They do not carry job_id themselves, because a bridge outlives its
 * runs. For a minute after a change of run there are two jobs to one bridge, and a join on both would fail: the one
 * that is not over is taken, and that the bridge still waited a minute ago counts less than the job it has found.
 */
export function withJob(expr: string, ...matchers: readonly string[]): string {
  const underWay = series(runMetrics.state, ...matchers, inStates('running', 'stalled'));
  const waiting = series(runMetrics.state, ...matchers, inStates('waiting'));
  const present = `max by (${runLabels}) (2 * ${underWay} or ${waiting})`;
  // Only its label is wanted: anything to the power of 0 is 1, even 0.
  return joinJob(expr, `(topk by (${bridgeLabels}) (1, ${present}) ^ 0)`);
}

/** The same, and only of bridges whose run is in one of these states, by what is known now or was known last. */
export function withJobInState(expr: string, states: readonly RunState[], within?: string): string {
  const state = series(runMetrics.state, inStates(...states));
  const known = within === undefined ? state : `last_over_time(${state}[${within}])`;
  return joinJob(expr, `topk by (${bridgeLabels}) (1, ${known} == 1)`);
}

const joinJob = (expr: string, serves: string) =>
  `${expr}\n* on (${bridgeLabels}) group_left (${jobLabel}) ${serves}`;

/** Of a run's own series, those whose run is in one of these states. */
export function whileInState(expr: string, ...states: readonly RunState[]): string {
  return `${expr}\nand on (${runLabels}) ${series(runMetrics.state, inStates(...states))} == 1`;
}

/**
 * Counters that rose of late, as they stand. One that was not there before, and is above zero, rose too, which increase()
 * does not see.
 */
export function recentlyIncreased(counter: string, window: string): string {
  return `((${counter} > 0 unless ${counter} offset ${window})\n  or (${counter} and increase(${counter}[${window}]) > 0))`;
}

export const secondsSince = (metric: MetricDefinition, ...matchers: readonly string[]) =>
  `(time() - ${series(metric, ...matchers)})`;

/** Names of every series the catalogue knows, for selectors that want the others. */
export const catalogueNames: readonly string[] = [
  ...trainingMetrics,
  ...Object.values(runMetrics),
  ...Object.values(bridgeMetrics),
].map(prometheusName);
