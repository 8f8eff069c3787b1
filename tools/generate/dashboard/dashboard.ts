import {
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  IntervalVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { runMetrics } from '../../../src/catalogue/metrics.ts';
import { jobLabel, namespaceLabel, series } from '../promql.ts';
import { bridgesRow } from './bridge-panels.ts';
import { glanceRow } from './glance-panels.ts';
import { grafanaPanel, source } from './grafana-panel.ts';
import { jobsRow } from './job-list-panels.ts';
import { jobRow } from './job-panels.ts';
import {
  defaultWindow,
  jobVariable,
  namespaceMatcher,
  namespaceVariable,
  type Row,
  windows,
  windowVariable,
} from './panel.ts';
import { sinceStartRow } from './since-start-panels.ts';

export const rows: readonly Row[] = [glanceRow, jobsRow, sinceStartRow, jobRow, bridgesRow];

export function dashboardJson(): string {
  return `${JSON.stringify(dashboard(), undefined, 2)}\n`;
}

export function dashboard(): Dashboard {
  const builder = new DashboardBuilder('ML training')
    .uid('ml-training')
    .description(
      'Training runs as ml-metrics-bridge exports them. Generated: `npm run generate` overwrites edits.',
    )
    .tags(['machine-learning', 'opentelemetry'])
    .timezone('browser')
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .tooltip(DashboardCursorSync.Crosshair)
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(
      labelVariable(
        namespaceVariable,
        'Namespace',
        `label_values(${series(runMetrics.state)}, ${namespaceLabel})`,
      ),
    )
    .withVariable(
      labelVariable(
        jobVariable,
        'Job',
        `label_values(${series(runMetrics.state, namespaceMatcher)}, ${jobLabel})`,
      ),
    )
    .withVariable(
      new IntervalVariableBuilder(windowVariable)
        .label('Window')
        .description('Window of rates and quantiles: longer than the time between two writes of the file')
        .values(windows.join(','))
        .current({ text: defaultWindow, value: defaultWindow }),
    );
  let id = 0;
  for (const { title, everyJob, collapsed, panels } of rows) {
    const row = new RowBuilder(title).id(++id);
    if (everyJob) row.repeat(jobVariable);
    const built = panels.map((panel) => grafanaPanel(panel).id(++id));
    // Grafana keeps the panels of a collapsed row within the row.
    if (collapsed) for (const panel of built) row.withPanel(panel);
    builder.withRow(row);
    if (!collapsed) for (const panel of built) builder.withPanel(panel);
  }
  return closeGaps(builder.build());
}

/** The builder places what follows a collapsed row as if the row were open. */
function closeGaps(dashboard: Dashboard): Dashboard {
  let hidden = 0;
  for (const panel of dashboard.panels ?? []) {
    const nested = 'panels' in panel ? panel.panels : [];
    for (const { gridPos } of [panel, ...nested]) if (gridPos) gridPos.y -= hidden;
    const bottoms = nested.map(({ gridPos }) => (gridPos?.y ?? 0) + (gridPos?.h ?? 0));
    if (nested.length > 0) hidden += Math.max(...bottoms) - (panel.gridPos?.y ?? 0) - 1;
  }
  return dashboard;
}

function labelVariable(name: string, label: string, query: string) {
  return (
    new QueryVariableBuilder(name)
      .label(label)
      .datasource(source)
      .query({ query, refId: name })
      .refresh(VariableRefresh.OnTimeRangeChanged)
      .sort(VariableSort.NaturalAsc)
      .multi(true)
      .includeAll(true)
      // Bridges without a file have no job_id, and outside Kubernetes no namespace; All includes them.
      .allValue('.*')
      .current({ text: 'All', value: '$__all' })
  );
}
