import { expect, it } from 'vitest';
import { runStates } from '../../../../src/catalogue/metrics.ts';
import { dashboard, rows } from '../../../../tools/generate/dashboard/dashboard.ts';
import { stateNumbers } from '../../../../tools/generate/dashboard/panel.ts';

const { panels: top = [], templating } = dashboard();
/** With those of a collapsed row, which Grafana keeps within the row. */
const nested = top.flatMap((panel) => ('panels' in panel ? panel.panels : []));
const panels = [...top, ...nested];
const grid = panels.map(({ id, type, title, gridPos }) => ({ id, type, title, gridPos }));
const queries = panels.flatMap((panel) => ('targets' in panel ? (panel.targets ?? []) : []));

it('has a row for each selected job, and its panels after it', () => {
  const repeated = panels.findIndex((panel) => panel.type === 'row' && panel.repeat === 'job');
  expect(panels[repeated]).toMatchObject({ title: '$job', collapsed: false, panels: [] });
  const after = grid.slice(repeated + 1).findIndex(({ type }) => type === 'row');
  expect(after).toBe(rows.find(({ everyJob }) => everyJob)?.panels.length);
});

it('opens with the comparison by time since start closed, and without a gap in its place', () => {
  const index = top.findIndex((panel) => 'collapsed' in panel && panel.collapsed);
  expect(top[index]?.title).toBe('Selected jobs by time since start');
  expect(top[index]).toMatchObject({ panels: { length: 4 } });
  expect(top[index + 1]?.gridPos?.y).toBe((top[index]?.gridPos?.y ?? 0) + 1);
});

it('lets one choose data source, namespaces, jobs and window', () => {
  const list = templating?.list ?? [];
  expect(list.map(({ name, type }) => [name, type])).toEqual([
    ['datasource', 'datasource'],
    ['namespace', 'query'],
    ['job', 'query'],
    ['window', 'interval'],
  ]);
  const values = [
    'label_values(ml_training_run_state, k8s_namespace_name)',
    'label_values(ml_training_run_state{k8s_namespace_name=~"$namespace"}, job_id)',
  ];
  for (const [index, query] of values.entries())
    expect(list[index + 1]).toMatchObject({
      multi: true,
      includeAll: true,
      allValue: '.*',
      query: { query },
      datasource: { uid: `\${datasource}` },
    });
});

it('gives every panel an id of its own, a description, a unit where it draws numbers, and the chosen data source', () => {
  expect(new Set(grid.map(({ id }) => id)).size).toBe(panels.length);
  for (const panel of panels) {
    if (panel.type === 'row') continue;
    expect(panel, panel.title).toMatchObject({ datasource: { type: 'prometheus', uid: `\${datasource}` } });
    expect('description' in panel && panel.description?.length, panel.title).toBeGreaterThan(20);
  }
});

it.each([
  ['the dashboard', top],
  ['the collapsed row', nested],
])('lays the panels of %s out without overlap, inside 24 columns', (_, panels) => {
  const taken = new Map<string, string | undefined>();
  for (const { gridPos, title } of panels) {
    const { x = 0, y = 0, w = 0, h = 0 } = gridPos ?? {};
    expect(x + w, title).toBeLessThanOrEqual(24);
    for (let at = 0; at < w * h; at++) {
      const cell = `${x + (at % w)},${y + Math.floor(at / w)}`;
      expect(taken.get(cell), `${title} overlaps`).toBeUndefined();
      taken.set(cell, title);
    }
  }
});

it('adds up by namespace and job in every query', () => {
  expect(queries.length).toBeGreaterThan(30);
  for (const query of queries) {
    expect(query).toMatchObject({ expr: expect.stringContaining('by (k8s_namespace_name, job_id') });
    expect(query).toMatchObject({
      expr: expect.stringContaining('k8s_namespace_name=~"$namespace", job_id=~"$job"'),
    });
  }
});

it('has a number of its own for each state', () => {
  expect(Object.keys(stateNumbers).sort()).toEqual([...runStates].sort());
  const numbers = Object.values(stateNumbers).map(({ number }) => number);
  expect(new Set(numbers).size).toBe(runStates.length);
});
