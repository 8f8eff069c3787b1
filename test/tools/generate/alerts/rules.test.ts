import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { type RecordingRule, recordingRules } from '../../../../tools/generate/alerts/recording-rules.ts';
import { alertGroups, rulesYaml } from '../../../../tools/generate/alerts/rules.ts';
import { rows } from '../../../../tools/generate/dashboard/dashboard.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<'summary' | 'description' | 'runbook_url', string>>;
}

const { groups } = parse(rulesYaml()) as { groups: { name: string; rules: (Rule | RecordingRule)[] }[] };
const all = groups.flatMap((group) => group.rules);
const rules = all.filter((rule) => 'alert' in rule);
const runbook = readFileSync('docs/runbook.md', 'utf8');
const headings = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, heading]) => heading);

it('says where it comes from', () => {
  expect(rulesYaml()).toMatch(/^# Generated/);
});

it('keeps every query as it was written', () => {
  expect(rules.map(({ expr }) => expr)).toEqual(
    Object.values(alertGroups).flatMap((it) => it.map(({ expr }) => expr)),
  );
});

it('records series before the alerts of their group', () => {
  expect(all.filter((rule) => 'record' in rule)).toEqual(Object.values(recordingRules).flat());
  for (const { rules: ofGroup } of groups) {
    const kinds = ofGroup.map((rule) => ('record' in rule ? 'record' : 'alert'));
    expect(kinds).toEqual(kinds.toSorted().toReversed());
  }
});

it.each(rules.map((rule) => [rule.alert, rule] as const))(
  '%s says how bad it is, what, and how much',
  (_, rule) => {
    expect(['critical', 'warning']).toContain(rule.labels.severity);
    expect(rule.annotations.summary).toMatch(/\{\{ \$labels\.(job_id|pod|instance) \}\}/);
    expect(rule.annotations.description).toMatch(/\{\{ \$(value|labels)/);
    // What the texts name must be left over by the query.
    const kept = /^(?:max|min|sum) by \(([^)]+)\)/.exec(rule.expr)?.[1]?.split(', ');
    // Two namespaces may have the same job_id, and routes select by the namespace.
    expect(kept).toContain('k8s_namespace_name');
    for (const [, label] of JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g))
      expect(kept).toContain(label);
  },
);

it.each(rules.map(({ alert, annotations }) => [alert, annotations.runbook_url]))(
  '%s has its place in the runbook',
  (alert, url) => {
    expect(url.endsWith(`/docs/runbook.md#${alert.toLowerCase()}`)).toBe(true);
    expect(headings).toContain(alert);
  },
);

it('has no place in the runbook for an alert there is not', () => {
  expect([...headings].sort()).toEqual(rules.map(({ alert }) => alert).sort());
});

it('sends nobody to a panel there is not', () => {
  const titles = rows.flatMap(({ title, panels }) => [title, ...panels.map((panel) => panel.title)]);
  const named = [...runbook.matchAll(/(?<!\*)\*([^*]+)\*(?!\*)/g)].map(([, title]) =>
    title?.replaceAll(/\s+/g, ' '),
  );
  expect(named.length).toBeGreaterThan(10);
  for (const title of named) expect([...titles, 'ML training']).toContain(title);
});
