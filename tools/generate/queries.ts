import { recordingRules } from './alerts/recording-rules.ts';
import { alertGroups } from './alerts/rules.ts';
import { rows } from './dashboard/dashboard.ts';
import {
  defaultWindow,
  jobVariable,
  namespaceVariable,
  rangeVariable,
  stepVariable,
  windowVariable,
} from './dashboard/panel.ts';

export interface NamedQuery {
  /** Panel or alert, for messages. */
  readonly where: string;
  /** PromQL with all variables replaced. */
  readonly expr: string;
  /** Whether the query has a result for a healthy job. */
  readonly expectData: boolean;
}

/** Every query of the panels and alerts, and those that each alert watches, ready to be run. */
export function allQueries(): readonly NamedQuery[] {
  return [...panelQueries(), ...recordingQueries(), ...alertQueries()];
}

function panelQueries(): readonly NamedQuery[] {
  return rows.flatMap((row) =>
    row.panels.flatMap((panel) =>
      panel.queries.map(({ legend, expr, optional }) => ({
        where: `panel ${row.title} / ${panel.title} / ${legend}`,
        expr: withVariables(expr),
        expectData: !optional,
      })),
    ),
  );
}

/** Values of the dashboard's variables: a pattern for the job, and two durations of PromQL. */
export interface Variables {
  readonly job?: string;
  readonly range?: string;
  readonly step?: string;
}

/** A query as Grafana sends it, for all namespaces. */
export function withVariables(
  expr: string,
  { job = '.*', range = '1h', step = '1m' }: Variables = {},
): string {
  return expr
    .replaceAll(`$${namespaceVariable}`, '.*')
    .replaceAll(`$${jobVariable}`, job)
    .replaceAll(`$${windowVariable}`, defaultWindow)
    .replaceAll(rangeVariable, range)
    .replaceAll(stepVariable, step);
}

function recordingQueries(): readonly NamedQuery[] {
  return Object.values(recordingRules)
    .flat()
    .map(({ record, expr }) => ({ where: `record ${record}`, expr, expectData: false }));
}

function alertQueries(): readonly NamedQuery[] {
  return Object.values(alertGroups)
    .flat()
    .flatMap(({ name, expr, watches }) => [
      { where: `alert ${name}`, expr, expectData: false },
      ...watches.map((watched) => ({ where: `alert ${name}, watched`, expr: watched, expectData: true })),
    ]);
}
