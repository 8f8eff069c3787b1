import { expect, it } from 'vitest';
import { allQueries } from '../../tools/generate/queries.ts';
import { ask, instantQuery, type Labels } from '../support/prometheus.ts';
import { until } from '../support/until.ts';
import { startCollector } from './collector.ts';
import { forThisTest } from './for-this-test.ts';
import { type PastJob, trainInThePast } from './history.ts';
import { startPushedPrometheus } from './prometheus.ts';
import { startThanos, startThanosRule } from './thanos.ts';
import { kinds, training } from './training.ts';

/** The answer to a query, without the label that only Thanos has, and in an order of its own. */
async function answerOf(url: string, expression: string, time: number): Promise<readonly string[]> {
  interface Vector {
    readonly result: readonly {
      readonly metric: Labels;
      readonly value?: unknown;
      readonly histogram?: unknown;
    }[];
  }
  const { result } = await ask<Vector>(url, '/query', { query: expression, time: String(time) });
  return result
    .map(({ metric: { tenant_id: _, ...labels }, value, histogram }) =>
      JSON.stringify([Object.entries(labels).sort(), value, histogram]),
    )
    .sort();
}

/** How many points there are of each series that a bridge sends with every snapshot, and of each that the rules give. */
async function pointsOf(url: string, time: number): Promise<readonly string[]> {
  const query = '{__name__=~"ml_training_batch_number_total|ml_bridge_.*|ALERTS|.*:.*"}[2h]';
  const { result } = await ask<{ result: { metric: Labels; values: unknown[] }[] }>(url, '/query', {
    query,
    time: String(time),
  });
  return result
    .map(({ metric: { tenant_id: _, ...labels }, values }) =>
      JSON.stringify([Object.entries(labels).sort(), values.length]),
    )
    .sort();
}

/** What an hour and a half of training left, so that nearly every query has a result, alerts too. */
const pastJobs: readonly PastJob[] = [
  {
    job: 'worse',
    rank: 0,
    seconds: 6_000,
    metrics: (ago) => ({
      training_loss: ago > 900 ? 1 : 5,
      samples_per_second: ago > 900 ? 134 : 13,
      rank_compute_ms: 200,
      total_epochs: 2,
      batches_per_epoch: 1_000,
      total_steps: 2_000,
      tokens_per_second: 1_000,
      mfu: 0.4,
      accuracy: 'high',
    }),
  },
  // Slow, and some steps behind.
  { job: 'worse', rank: 1, seconds: 5_400, metrics: () => ({ rank_compute_ms: 400 }) },
  {
    job: 'worse',
    rank: 2,
    seconds: 6_000,
    metrics: (ago) => (ago > 600 ? { rank_compute_ms: 200 } : undefined),
  },
  { job: 'nan', seconds: 1_000, metrics: (ago) => ({ training_loss: ago > 300 ? 1 : Number.NaN }) },
  // Longer ago than queries look back.
  { job: 'ended', seconds: 1_000, ended: 120, metrics: () => ({}) },
  { job: 'stalled', seconds: 3_000, metrics: (ago) => (ago > 1_200 ? {} : undefined) },
];

/** Those that need another fault than these jobs have, or another source. */
const withoutResult = [
  'panel Bridge health / Dropped snapshots / {{job_id}} spans rejected {{k8s_namespace_name}}',
  'alert MlMetricsFileStale',
  'alert MlBridgeNotExporting',
  'alert MlBridgeExportsFailing',
  'alert MlBridgeDroppingSnapshots',
  'alert MlBridgeAbsent',
  'alert MlBridgeNoFile',
  'alert MlMetricsFileUnreadable',
];

it('Thanos answers every query that is shipped as Prometheus does', { timeout: 240_000 }, async () => {
  const [thanos, prometheus] = await Promise.all([
    forThisTest(startThanos()),
    forThisTest(startPushedPrometheus({ args: ['--web.enable-remote-write-receiver'], rules: [] })),
  ]);
  const collector = await forThisTest(
    startCollector(
      undefined,
      {
        'exporters.otlp_http/thanos.metrics_endpoint': `${thanos.receivers[0]}/api/v1/otlp`,
        'exporters.otlp_http/prometheus.endpoint': `${prometheus.url}/api/v1/otlp`,
        'exporters.otlp_http/prometheus.sending_queue.enabled': 'false',
        'service.pipelines.metrics.exporters': '[otlp_http/thanos,otlp_http/prometheus]',
      },
      'k8s/overlays/distributed/otel-collector.yaml',
    ),
  );
  await Promise.all(pastJobs.map((past) => trainInThePast(collector, past)));
  const jobs = await Promise.all(kinds.map((kind) => training(kind, collector)));
  // Two programs that evaluate the rules would do so at different times.
  const rule = await forThisTest(
    startThanosRule(thanos, [`${thanos.receivers[0]}/api/v1/receive`, `${prometheus.url}/api/v1/write`]),
  );

  const train = () => Promise.all(jobs.map((job) => job.train()));
  for (const { where, expr, expectData } of allQueries()) {
    const answered = async () => {
      await train();
      const answer = await instantQuery(prometheus.url, expr, nextMinute());
      return kinds.every((kind) => answer.some(({ labels }) => labels.job_id === kind));
    };
    if (expectData) await until(answered, where, 30_000);
  }
  for (const { where, expr } of allQueries())
    if (!withoutResult.includes(where))
      await until(async () => (await instantQuery(prometheus.url, expr)).length > 0, where, 60_000);

  // From here on, both have the same and get no more.
  await rule.unloadRules();
  await collector.stop();
  const time = nextMinute();
  const same = async () => {
    const [left, right] = await Promise.all([thanos, prometheus].map(({ url }) => pointsOf(url, time)));
    return left?.join() === right?.join();
  };
  await until(same, 'Thanos and Prometheus to have the same points', 30_000);

  // Subqueries have their steps on whole minutes, so of the two times one has them behind all data.
  for (const { where, expr } of allQueries())
    for (const at of [Math.floor(Date.now() / 1000) - 2, time])
      expect(await answerOf(thanos.url, expr, at), where).toEqual(await answerOf(prometheus.url, expr, at));
});

const nextMinute = () => Math.ceil(Date.now() / 60_000) * 60;
