import { expect, it, onTestFinished } from 'vitest';
import { allQueries } from '../../tools/generate/queries.ts';
import { ask, instantQuery, type Labels } from '../support/prometheus.ts';
import { until } from '../support/until.ts';
import { startCollector } from './collector.ts';
import type { Program } from './program.ts';
import { startPushedPrometheus } from './prometheus.ts';
import { startThanos } from './thanos.ts';
import { kinds, training } from './training.ts';

async function forThisTest<P extends Program>(starting: Promise<P>): Promise<P> {
  const program = await starting;
  onTestFinished(() => program.stop());
  return program;
}

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

it('Thanos answers every query that is shipped as Prometheus does', { timeout: 180_000 }, async () => {
  const [thanos, prometheus] = await Promise.all([
    forThisTest(startThanos()),
    forThisTest(startPushedPrometheus()),
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
  const jobs = await Promise.all(kinds.map((kind) => training(kind, collector)));

  const train = () => Promise.all(jobs.map((job) => job.train()));
  for (const { where, expr, expectData } of allQueries()) {
    const answered = async () => {
      await train();
      const answer = await instantQuery(prometheus.url, expr, nextMinute());
      return kinds.every((kind) => answer.some(({ labels }) => labels.job_id === kind));
    };
    if (expectData) await until(answered, where, 30_000);
  }
  const points = 'sort(sum by (job_id) (count_over_time(ml_training_batch_number_total[1h])))';
  const both = () => Promise.all([thanos, prometheus].map(({ url }) => answerOf(url, points, nextMinute())));
  const same = async () => {
    const [left, right] = await both();
    return left?.length === kinds.length && left.join() === right?.join();
  };
  await until(same, 'Thanos and Prometheus to have the same points', 30_000);

  // Subqueries have their steps on whole minutes, so of the two times one has them behind all data.
  for (const { where, expr } of allQueries())
    for (const time of [Math.floor(Date.now() / 1000) - 2, nextMinute()])
      expect(await answerOf(thanos.url, expr, time), where).toEqual(
        await answerOf(prometheus.url, expr, time),
      );
});

const nextMinute = () => Math.ceil(Date.now() / 60_000) * 60;
