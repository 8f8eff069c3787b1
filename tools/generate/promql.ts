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
import { labelName, prometheusName } from '../../src/catalogue/prometheus-name.ts';

/** The labels that identify a bridge in Prometheus: service.name and service.instance.id. */
const bridgeLabels = 'job, instance';

export const jobLabel = labelName(runAttributes.jobId);
export const namespaceLabel = labelName(runAttributes.namespace);

/** The labels that identify a job. Jobs of two namespaces may have the same job_id. Outside Kubernetes the first is absent. */
export const jobLabels = `${namespaceLabel}, ${jobLabel}`;

/** The labels that identify a rank of a job, whichever bridge reports it. */
export const rankLabels = `${jobLabels}, ${labelName(runAttributes.rank)}`;

/** The labels that identify a run of one pod. A job with several pods has several. */
export const runLabels = `${bridgeLabels}, ${jobLabels}`;

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
  /** Offset into the past, such as `1h`. */
  readonly offset?: string;
}

/**
 * Quantile of classic buckets or, if there are none, of the native histogram. One panel shows jobs with either setting.
 */
export function histogramQuantile(quantile: number, query: HistogramQuery): string {
  const { metric, by } = query;
  const name = prometheusName(metric);
  const classic = `sum by (${by}, le) (${rate(`${name}_bucket`, query)})`;
  const native = `sum by (${by}) (${rate(name, query)})`;
  return `histogram_quantile(${quantile}, ${classic})\nor\nhistogram_quantile(${quantile}, ${native})`;
}

/** Mean of the measurements in the window, for both kinds of histogram. */
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
 * Joins a bridge's own series with the job_id of its run, which they do not have; their namespace they have. For a minute after a new run began, a
 * bridge has two runs, and a join with both would fail. The run that has not ended is used, and the state `waiting` only
 * if there is no run.
 */
export function withJob(expr: string, ...matchers: readonly string[]): string {
  const underWay = series(runMetrics.state, ...matchers, inStates('running', 'stalled'));
  const waiting = series(runMetrics.state, ...matchers, inStates('waiting'));
  const current = `max by (${runLabels}) (2 * ${underWay} or ${waiting})`;
  // Only the label is needed: any value to the power of 0 is 1, even 0.
  return joinJob(expr, `(topk by (${bridgeLabels}) (1, ${current}) ^ 0)`);
}

/** The same, only for bridges whose current or last known state is one of these. */
export function withJobInState(expr: string, states: readonly RunState[], within?: string): string {
  const state = series(runMetrics.state, inStates(...states));
  const known = within === undefined ? state : `last_over_time(${state}[${within}])`;
  return joinJob(expr, `topk by (${bridgeLabels}) (1, ${known} == 1)`);
}

const joinJob = (expr: string, serves: string) =>
  `${expr}\n* on (${bridgeLabels}) group_left (${jobLabel}) ${serves}`;

/** Restricts series of a run to runs in one of these states. */
export function whileInState(expr: string, ...states: readonly RunState[]): string {
  return `${expr}\nand on (${runLabels}) ${series(runMetrics.state, inStates(...states))} == 1`;
}

/**
 * The values of counters that increased within the window. A new counter above zero has increased too, which increase()
 * does not see.
 */
export function recentlyIncreased(counter: string, window: string): string {
  return `((${counter} > 0 unless ${counter} offset ${window})\n  or (${counter} and increase(${counter}[${window}]) > 0))`;
}

export const secondsSince = (metric: MetricDefinition, ...matchers: readonly string[]) =>
  `(time() - ${series(metric, ...matchers)})`;

/** Names of all series of the catalogue, for selectors that exclude them. */
export const catalogueNames: readonly string[] = [
  ...trainingMetrics,
  ...Object.values(runMetrics),
  ...Object.values(bridgeMetrics),
].map(prometheusName);
