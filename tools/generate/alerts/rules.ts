import { stringify } from 'yaml';
import { type Alert, runbookUrl } from './alert.ts';
import { bridgeAlerts } from './bridge-alerts.ts';
import { rankAlerts } from './rank-alerts.ts';
import { type RecordingRule, recordingRules } from './recording-rules.ts';
import { runAlerts } from './run-alerts.ts';

export const alertGroups = {
  'ml-training': runAlerts,
  'ml-training-ranks': rankAlerts,
  'ml-bridge': bridgeAlerts,
} as const satisfies Readonly<Record<string, readonly Alert[]>>;

const note = [
  '# Generated from tools/generate by `npm run generate`, which overwrites edits. What each alert means: docs/runbook.md',
  '# All alerts need a scrape with honor_labels: true, so that instance is the bridge and not the Collector.',
  '# MlBridgeAbsent needs the series of kube-state-metrics, and never fires without them.',
].join('\n');

export function rulesYaml(): string {
  const records: Readonly<Record<string, readonly RecordingRule[]>> = recordingRules;
  const groups = Object.entries(alertGroups).map(([name, alerts]) => ({
    name,
    rules: [...(records[name] ?? []), ...alerts.map(rule)],
  }));
  return `${note}\n${stringify({ groups }, { lineWidth: 0 })}`;
}

function rule(alert: Alert) {
  const { name, expr, severity, summary, description } = alert;
  return {
    alert: name,
    expr,
    ...(alert.for === undefined ? {} : { for: alert.for }),
    labels: { severity },
    annotations: { summary, description, runbook_url: runbookUrl(alert) },
  };
}
