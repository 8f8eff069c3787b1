import { bridgeMetrics, type MetricDefinition } from '../../../src/catalogue/metrics.ts';
import { jobLabels, secondsSince, series, withJob } from '../promql.ts';
import { inNamespace, jobMatcher, labelMissingJob, type Panel, perJob, type Row, window } from './panel.ts';

const third = { kind: 'curves', width: 8, height: 7, min: 0 } as const;

/** How often, by one of the metric's own labels. Summed over the pods of a job. */
function perMinute(metric: MetricDefinition, label: string): string {
  const rate = `rate(${series(metric)}[${window}]) * 60`;
  return labelMissingJob(`sum by (${jobLabels}, ${label}) (${withJob(rate, jobMatcher)})`);
}

const exports: Panel = {
  ...third,
  title: 'Exports a minute',
  description:
    'Requests to the Collector, by outcome. retry: it could not be reached; rejected: it rejected the request.',
  unit: 'none',
  queries: [
    { legend: `{{job_id}} {{outcome}} ${inNamespace}`, expr: perMinute(bridgeMetrics.exports, 'outcome') },
  ],
};

const lastSuccess: Panel = {
  ...third,
  title: 'Last successful export',
  description:
    'Time since the last successful export, of the bridge for which it is longest. Normally below twice the export interval plus a poll.',
  unit: 's',
  queries: [
    {
      legend: `{{job_id}} ${inNamespace}`,
      expr: labelMissingJob(perJob('max', withJob(secondsSince(bridgeMetrics.lastSuccessTime), jobMatcher))),
    },
  ],
};

const backlog: Panel = {
  ...third,
  title: 'Backlog',
  description: 'Snapshots waiting to be exported. Normally 0.',
  unit: 'none',
  queries: [
    {
      legend: `{{job_id}} ${inNamespace}`,
      expr: labelMissingJob(perJob('sum', withJob(series(bridgeMetrics.backlog), jobMatcher))),
    },
  ],
};

const dropped: Panel = {
  ...third,
  title: 'Dropped snapshots',
  description:
    'Snapshots that were never delivered since the bridge started, by reason, points and spans that the Collector rejected, and dropped log lines. Normally empty.',
  unit: 'none',
  queries: [
    {
      legend: `{{job_id}} {{reason}} ${inNamespace}`,
      expr: labelMissingJob(
        `sum by (${jobLabels}, reason) (${withJob(series(bridgeMetrics.dropped), jobMatcher)})`,
      ),
      optional: true,
    },
    {
      legend: `{{job_id}} points refused ${inNamespace}`,
      expr: labelMissingJob(perJob('sum', withJob(series(bridgeMetrics.pointsRefused), jobMatcher))),
      optional: true,
    },
    {
      legend: `{{job_id}} spans rejected ${inNamespace}`,
      expr: labelMissingJob(perJob('sum', withJob(series(bridgeMetrics.spansRejected), jobMatcher))),
      optional: true,
    },
    {
      legend: `{{job_id}} log lines ${inNamespace}`,
      expr: labelMissingJob(perJob('sum', withJob(series(bridgeMetrics.logLinesDropped), jobMatcher))),
      optional: true,
    },
  ],
};

const polls: Panel = {
  ...third,
  title: 'Polls a minute',
  description: 'Polls of the file, by outcome. ok: a new snapshot; unchanged: no new snapshot.',
  unit: 'none',
  queries: [
    { legend: `{{job_id}} {{outcome}} ${inNamespace}`, expr: perMinute(bridgeMetrics.snapshots, 'outcome') },
  ],
};

const skipped: Panel = {
  ...third,
  title: 'Fields left out',
  description:
    'Fields of the file, and records of a log, that were skipped since the bridge started, with the reason. Normally empty.',
  unit: 'none',
  queries: [
    {
      legend: `{{job_id}} {{field}}: {{reason}} ${inNamespace}`,
      expr: labelMissingJob(
        `sum by (${jobLabels}, field, reason) (${withJob(series(bridgeMetrics.fieldsSkipped), jobMatcher)})`,
      ),
      optional: true,
    },
    {
      legend: `{{job_id}} records: {{reason}} ${inNamespace}`,
      expr: labelMissingJob(
        `sum by (${jobLabels}, reason) (${withJob(series(bridgeMetrics.recordsSkipped), jobMatcher)})`,
      ),
      optional: true,
    },
  ],
};

export const bridgesRow: Row = {
  title: 'Bridge health',
  everyJob: false,
  panels: [exports, lastSuccess, backlog, polls, dropped, skipped],
};
