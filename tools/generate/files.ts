import { readFileSync } from 'node:fs';
import { fileJsonSchema } from '../../src/commands/check/schema.ts';
import { simulationSettings } from '../../src/commands/simulate/settings.ts';
import { bridgeSettings } from '../../src/config/bridge.ts';
import { bridgeTraceSettings } from '../../src/config/traces.ts';
import { drawTimeline } from '../draw/timeline.ts';
import { rulesYaml } from './alerts/rules.ts';
import { dashboardJson } from './dashboard/dashboard.ts';
import type { GeneratedFile } from './generated-file.ts';
import { chartFiles } from './kubernetes/chart.ts';
import { collectorExample } from './kubernetes/collector-example.ts';
import { prometheusRuleYaml } from './kubernetes/prometheus-rule.ts';
import { newDocument, replaceSections, type Sections } from './sections.ts';
import { answersTable } from './tables/answers.ts';
import { commandLineSection } from './tables/command-line.ts';
import { costsTable } from './tables/costs.ts';
import { dependenciesTable } from './tables/dependencies.ts';
import { environmentTable } from './tables/environment.ts';
import { dropReasonsTable, metricsTable } from './tables/metrics.ts';
import { benchmarks, performanceSections, readResult, targetsTable } from './tables/performance.ts';
import { spanAttributesTable, spanEventsTable, spansTable } from './tables/spans.ts';

const results = benchmarks.map(readResult);

const readmeSections = { costs: costsTable(results) };

const performancePage = { targets: targetsTable(results), ...performanceSections(results) };

const configurationSections = {
  environment: environmentTable(bridgeSettings),
  simulate: environmentTable(simulationSettings),
};

const securitySections = { dependencies: dependenciesTable() };

const tracingSections = {
  spans: spansTable(),
  attributes: spanAttributesTable(),
  events: spanEventsTable(),
  environment: environmentTable(bridgeTraceSettings),
};

/** kustomize reads no files outside its own folder, so the files it shares with docker-compose.yaml are copied there. */
const copies = ['otel-collector.yaml', 'prometheus.yml'].map((path) => ({
  path: `k8s/base/config/${path}`,
  render: () => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8'),
}));

export const generatedFiles: readonly GeneratedFile[] = [
  document('README.md', 'ml-metrics-bridge', readmeSections),
  document('docs/reference/metrics.md', 'Metrics', { metrics: metricsTable() }),
  document('docs/reference/configuration.md', 'Configuration', configurationSections),
  document('docs/reference/command-line.md', 'Command line', { commands: commandLineSection() }),
  document('docs/performance.md', 'Performance', performancePage),
  document('docs/runbook.md', 'Runbook', { dropped: dropReasonsTable() }),
  document('docs/reliability.md', 'Reliability', { answers: answersTable() }),
  document('SECURITY.md', 'Security', securitySections),
  document('docs/tracing.md', 'Traces', tracingSections),
  { path: 'grafana/dashboards/ml-training.json', render: dashboardJson },
  { path: 'prometheus/rules/ml-metrics-bridge.yaml', render: rulesYaml },
  { path: 'k8s/base/config/rules/ml-metrics-bridge.yaml', render: rulesYaml },
  { path: 'k8s/components/kube-prometheus/ml-training.json', render: dashboardJson },
  { path: 'k8s/components/kube-prometheus/prometheus-rule.yaml', render: prometheusRuleYaml },
  {
    path: 'schema/metrics-file.schema.json',
    render: () => `${JSON.stringify(fileJsonSchema(), undefined, 2)}\n`,
  },
  { path: 'examples/kubernetes/opentelemetry-collector.yaml', render: collectorExample },
  ...pictures(),
  ...chartFiles,
  ...copies,
];

/** `docs/images/NAME.svg` of each benchmark that has a picture. */
function pictures(): readonly GeneratedFile[] {
  return results.flatMap(({ name, picture }) =>
    picture === undefined ? [] : [{ path: `docs/images/${name}.svg`, render: () => drawTimeline(picture) }],
  );
}

function document(path: string, title: string, sections: Sections): GeneratedFile {
  return {
    path,
    render: (current) =>
      current === undefined ? newDocument(title, sections) : replaceSections(current, sections),
  };
}

/** The first line that differs between two texts; undefined if there is none. Lines count from 1. */
export function firstDifference(
  current: string,
  expected: string,
): { readonly line: number; readonly current: string; readonly expected: string } | undefined {
  if (current === expected) return undefined;
  const [left, right] = [current.split('\n'), expected.split('\n')];
  const index = left.findIndex((text, at) => text !== right[at]);
  const at = index === -1 ? left.length : index;
  return { line: at + 1, current: left[at] ?? '(end of file)', expected: right[at] ?? '(end of file)' };
}
