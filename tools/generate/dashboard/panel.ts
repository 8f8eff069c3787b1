import { jobLabel, jobLabels, namespaceLabel } from '../promql.ts';

/** A panel as data, independent of Grafana. */
export interface Panel {
  readonly kind: 'curves' | 'since start' | 'states' | 'stat' | 'gauge' | 'table';
  readonly title: string;
  readonly description: string;
  /** In columns of the grid, which has 24. */
  readonly width: number;
  readonly height: number;
  /** Grafana's id of the unit. */
  readonly unit?: string;
  readonly min?: number;
  readonly max?: number;
  /** The values are numbers of states. */
  readonly states?: true;
  readonly queries: readonly Query[];
}

export interface Query {
  readonly expr: string;
  /** Name of the curve, or title of a table's column. */
  readonly legend: string;
  /** Unit of a table's column. */
  readonly unit?: string;
  /** The query may have no result for a healthy job, such as for errors and for optional fields. */
  readonly optional?: true;
}

export interface Row {
  readonly title: string;
  /** Shown once for each selected job. */
  readonly everyJob: boolean;
  /** Closed when the dashboard is opened. Grafana asks for nothing until somebody opens it. */
  readonly collapsed?: true;
  readonly panels: readonly Panel[];
}

/** Template variables of the dashboard. */
export const namespaceVariable = 'namespace';
export const jobVariable = 'job';
export const windowVariable = 'window';

export const namespaceMatcher = `${namespaceLabel}=~"$${namespaceVariable}"`;
export const jobMatcher = `${namespaceMatcher}, ${jobLabel}=~"$${jobVariable}"`;
/** Grafana's own: the time range of the dashboard, and the time between two points of a panel. */
export const rangeVariable = '$__range';
export const stepVariable = '$__interval';
export const window = `$${windowVariable}`;
export const windows = ['1m', '2m', '5m', '15m', '1h'] as const;
export const defaultWindow: (typeof windows)[number] = '2m';

/** The end of a legend. Empty outside Kubernetes. */
export const inNamespace = `{{${namespaceLabel}}}`;

export const perJob = (aggregate: 'avg' | 'max' | 'min' | 'sum', expr: string) =>
  `${aggregate} by (${jobLabels}) (${expr})`;

/** A bridge without a file has no job_id. This gives its line a name. */
export const labelMissingJob = (expr: string) =>
  `label_replace(${expr}, "${jobLabel}", "(no file yet)", "${jobLabel}", "")`;

/** States as numbers, a more severe one being higher: if the pods of a job differ, the highest is shown. */
export const stateNumbers = {
  waiting: { number: 0, color: 'text' },
  ended: { number: 1, color: 'purple' },
  completed: { number: 2, color: 'blue' },
  running: { number: 3, color: 'green' },
  stalled: { number: 4, color: 'orange' },
  failed: { number: 5, color: 'red' },
} as const;
