import { jobLabel, namespaceLabel } from '../promql.ts';

/** An alert as data. */
export interface Alert {
  readonly name: string;
  readonly severity: 'critical' | 'warning';
  readonly expr: string;
  /** How long the condition must be true. */
  readonly for?: string;
  readonly summary: string;
  readonly description: string;
  /** Queries that have a result for a healthy job. They show that the alert can fire. */
  readonly watches: readonly string[];
}

const runbook = 'https://github.com/ml-metrics-bridge/ml-metrics-bridge/blob/main/docs/runbook.md';

/** A heading's anchor is its text in lower case. */
export const runbookUrl = ({ name }: Pick<Alert, 'name'>) => `${runbook}#${name.toLowerCase()}`;

/** Indents a query inside another by two spaces. */
export const indented = (expr: string) => expr.replaceAll(/^/gm, '  ');

export const aggregated = (aggregate: string, labels: string, expr: string) =>
  `${aggregate} by (${labels}) (\n${indented(expr)}\n)`;

/** The job in an alert's description. */
export const job = `{{ $labels.${jobLabel} }}`;

/** The same in a summary, with its namespace if it has one. */
export const jobWithNamespace = `{{ with $labels.${namespaceLabel} }}{{ . }}/{{ end }}${job}`;
