/** An alert as data. */
export interface Alert {
  readonly name: string;
  readonly severity: 'critical' | 'warning';
  readonly expr: string;
  /** How long it must hold. */
  readonly for?: string;
  readonly summary: string;
  readonly description: string;
  /** What it looks at: of a healthy job these are there, so an alert that can never fire is noticed. */
  readonly watches: readonly string[];
}

const runbook = 'https://github.com/ml-metrics-bridge/ml-metrics-bridge/blob/main/docs/runbook.md';

/** A heading's anchor is its text in lower case. */
export const runbookUrl = ({ name }: Pick<Alert, 'name'>) => `${runbook}#${name.toLowerCase()}`;

/** Deeper by two spaces, for a query that holds another. */
export const indented = (expr: string) => expr.replaceAll(/^/gm, '  ');

export const aggregated = (aggregate: string, labels: string, expr: string) =>
  `${aggregate} by (${labels}) (\n${indented(expr)}\n)`;
