import { bridgeMetrics, runMetrics } from '../../../src/catalogue/metrics.ts';
import type { PollOutcomeName } from '../../../src/catalogue/outcomes.ts';
import { bridgeSettings } from '../../../src/config/bridge.ts';
import {
  inStates,
  jobLabels,
  namespaceLabel,
  recentlyIncreased,
  secondsSince,
  series,
  withJob,
  withJobInState,
} from '../promql.ts';
import { type Alert, aggregated, indented, job, jobWithNamespace } from './alert.ts';
import { activeStates } from './run-alerts.ts';

const bridge = `${jobLabels}, instance`;

const lastSuccess = series(bridgeMetrics.lastSuccessTime);
const silentSeconds = `(time() - last_over_time(${lastSuccess}[1h]))`;

/** In seconds: eight export intervals. */
const silentTooLong = (8 * bridgeSettings.exportIntervalMs.default) / 1000;

/** The series have disappeared, so their last values are used, which show a run that had not ended. */
const notExporting: Alert = {
  name: 'MlBridgeNotExporting',
  severity: 'warning',
  for: '1m',
  expr: [
    `${aggregated('max', bridge, withJobInState(silentSeconds, activeStates, '1h'))} > ${silentTooLong}`,
    // Not if the job runs in another pod now.
    `unless on (${jobLabels})`,
    `(${withJob(`(${secondsSince(bridgeMetrics.lastSuccessTime)} <= ${silentTooLong})`)})`,
  ].join('\n'),
  summary: `The bridge of training job ${jobWithNamespace} no longer exports`,
  description: `The bridge {{ $labels.instance }} of ${job} last exported {{ $value | humanizeDuration }} ago, and its run had not ended. The values of the job are out of date.`,
  watches: [withJobInState(silentSeconds, activeStates, '1h')],
};

/** Export requests of the last five minutes. */
const requests = (...matchers: readonly string[]) =>
  aggregated(
    'sum',
    bridge,
    withJobInState(`increase(${series(bridgeMetrics.exports, ...matchers)}[5m])`, activeStates),
  );

const exportsFailing: Alert = {
  name: 'MlBridgeExportsFailing',
  severity: 'warning',
  // Longer than the window, because the failures of an outage are all exported at once when it is over.
  for: '10m',
  expr: `${requests('outcome!="success"')}\n/\n${requests()}\n> 0.5`,
  summary: `Most exports of training job ${jobWithNamespace} fail`,
  description: `{{ $value | humanizePercentage }} of the export requests of bridge {{ $labels.instance }} of ${job} failed in the last 5 minutes.`,
  watches: [requests()],
};

const droppedLately = recentlyIncreased(series(bridgeMetrics.dropped), '15m');

const dropping: Alert = {
  name: 'MlBridgeDroppingSnapshots',
  severity: 'warning',
  expr: aggregated('max', `${bridge}, reason`, withJobInState(droppedLately, activeStates)),
  summary: `Snapshots of training job ${jobWithNamespace} are lost`,
  description: `Bridge {{ $labels.instance }} of ${job} has dropped {{ $value }} snapshots ({{ $labels.reason }}), some of them within 15 minutes.`,
  watches: [],
};

/** The name of the container in the manifests. */
const container = 'container="otel-metrics-bridge"';

const podsThatShouldReport = [
  `(kube_pod_init_container_info{${container}} or kube_pod_container_info{${container}})`,
  'and on (namespace, pod) kube_pod_status_phase{phase="Running"} == 1',
  // An ordinary container exits when the run is over, possibly before the pod.
  `unless on (namespace, pod) kube_pod_container_status_terminated_reason{${container}, reason="Completed"} == 1`,
].join('\n');

const absent: Alert = {
  name: 'MlBridgeAbsent',
  severity: 'warning',
  for: '5m',
  // The service.instance.id of a bridge in a pod.
  expr: aggregated(
    'max',
    `${namespaceLabel}, namespace, pod`,
    [
      'label_replace(',
      '  label_join(',
      indented(indented(`${podsThatShouldReport},`)),
      '    "instance", ".", "namespace", "pod", "container"',
      '  ),',
      `  "${namespaceLabel}", "$1", "namespace", "(.*)"`,
      ')',
      `unless on (instance) ${series(bridgeMetrics.snapshots)}`,
    ].join('\n'),
  ),
  summary: `Training pod {{ $labels.${namespaceLabel} }}/{{ $labels.pod }} has a bridge that does not export`,
  description: `Pod {{ $labels.pod }} in namespace {{ $labels.${namespaceLabel} }} is running, but no metrics of its bridge have arrived for 5 minutes.`,
  watches: [],
};

/** A rank above 0 usually has no file, and waits by design. */
const waitsForFile = series(runMetrics.state, inStates('waiting'), 'rank=~"0?"');

const noFile: Alert = {
  name: 'MlBridgeNoFile',
  severity: 'warning',
  for: '15m',
  // The state and not the outcome of polls, because a file that an earlier run has left is read once, too.
  expr: `${aggregated('max', `${namespaceLabel}, instance`, waitsForFile)} == 1`,
  summary: 'Bridge {{ $labels.instance }} has had no usable metrics file for 15 minutes',
  description:
    'Bridge {{ $labels.instance }} is waiting: its metrics file does not exist, cannot be read, or was left by an earlier run.',
  watches: [series(runMetrics.state, inStates('waiting'))],
};

const polls = (...outcomes: readonly PollOutcomeName[]) =>
  `increase(${series(bridgeMetrics.snapshots, `outcome=~"${outcomes.join('|')}"`)}[5m]) > 0`;

/** There is a file, and it is of no use until somebody changes something. */
const unreadableOutcomes = [
  'unreadable',
  'malformed',
  'no_metrics',
  'too_large',
  'not_a_file',
  'failed',
  'hung',
] as const satisfies readonly PollOutcomeName[];

const unreadable: Alert = {
  name: 'MlMetricsFileUnreadable',
  severity: 'warning',
  for: '2m',
  expr: aggregated(
    'max',
    `${jobLabels}, instance, outcome`,
    withJobInState(
      `(\n  ${polls(...unreadableOutcomes)}\n  unless on (job, instance) ${polls('ok', 'unchanged')}\n)`,
      ['waiting', ...activeStates],
    ),
  ),
  summary: 'Metrics file of bridge {{ $labels.instance }} cannot be read',
  description:
    'In the last 5 minutes, bridge {{ $labels.instance }} could not read its metrics file ({{ $labels.outcome }}, {{ $value | humanize }} polls).',
  watches: [withJobInState(`(${polls('ok')})`, activeStates)],
};

export const bridgeAlerts: readonly Alert[] = [
  notExporting,
  exportsFailing,
  dropping,
  absent,
  noFile,
  unreadable,
];
