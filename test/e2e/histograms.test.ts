import { expect, it } from 'vitest';
import { trainingMetrics } from '../../src/catalogue/metrics.ts';
import { prometheusName } from '../../src/catalogue/prometheus-name.ts';
import { allQueries } from '../../tools/generate/queries.ts';
import { instantQuery } from '../support/prometheus.ts';
import { until } from '../support/until.ts';
import { type Collector, startCollector } from './collector.ts';
import { forThisTest } from './for-this-test.ts';
import { type Prometheus, startPrometheus, startPushedPrometheus } from './prometheus.ts';
import { type Kind, kinds, measured, training } from './training.ts';

/** Both kinds of histogram in one Prometheus, by both of the ways that are shipped: scraped, and pushed. */

interface Stack {
  readonly prometheus: Prometheus;
  /** One for each kind of histogram. */
  readonly collectors: readonly [Collector, Collector];
}

/** A Collector for each kind: in one scrape Prometheus takes all histograms of a name for what the first of them is. */
async function scraped(): Promise<Stack> {
  const collector = () => forThisTest(startCollector());
  const collectors = [await collector(), await collector()] as const;
  const prometheus = await forThisTest(
    startPrometheus({
      config: 'prometheus.yml',
      targets: collectors.map(({ scrapeUrl }) => new URL(scrapeUrl).host),
      scrapeInterval: '1s',
    }),
  );
  return { prometheus, collectors };
}

async function pushed(): Promise<Stack> {
  const prometheus = await forThisTest(startPushedPrometheus());
  const collector = () =>
    forThisTest(
      startCollector(
        undefined,
        { 'exporters.otlp_http/prometheus.endpoint': `${prometheus.url}/api/v1/otlp` },
        'k8s/overlays/large/otel-collector.yaml',
      ),
    );
  return { prometheus, collectors: [await collector(), await collector()] };
}

const histograms = trainingMetrics.filter((metric) => metric.instrument === 'histogram');

/** A series a bucket, with the one that is open above, and sum and count. */
const classicSeries = ({ boundaries }: (typeof histograms)[number]) => [
  ...boundaries,
  'open',
  'sum',
  'count',
];

const shipped = (query: string) => {
  const { expr } = allQueries().find(({ where }) => where === query) ?? {};
  if (expr === undefined) throw new Error(`no ${query}`);
  return expr;
};

it.each([
  ['scraped', scraped],
  ['pushed', pushed],
])('%s, every query that is shipped answers for jobs of both kinds', async (_way, start) => {
  const { prometheus, collectors } = await start();
  const jobs = await Promise.all(kinds.map((kind, index) => training(kind, collectors[index] as Collector)));
  for (const { where, expr, expectData } of allQueries()) {
    const answered = async () => {
      await Promise.all(jobs.map(({ train }) => train()));
      const answer = await instantQuery(prometheus.url, expr, nextMinute());
      return kinds.every((kind) => answer.some(({ labels }) => labels.job_id === kind));
    };
    if (expectData) await until(answered, where, 30_000);
    else await instantQuery(prometheus.url, expr);
  }
});

it.each([
  ['scraped', scraped],
  ['pushed', pushed],
])('%s, a native histogram is one series, and truer than buckets', async (_way, start) => {
  const { prometheus, collectors } = await start();
  const jobs = await Promise.all(kinds.map((kind, index) => training(kind, collectors[index] as Collector)));
  const ask = (expr: string) => instantQuery(prometheus.url, expr);
  /** Not a number while no measurement lies between two scrapes. */
  const answer = (kind: Kind, panel: string) =>
    until(
      async () => {
        await Promise.all(jobs.map(({ train }) => train()));
        const samples = await ask(shipped(`panel $job / ${panel}`));
        const value = samples.find(({ labels }) => labels.job_id === kind)?.value;
        return Number.isFinite(value) && value;
      },
      panel,
      60_000,
    );
  for (const kind of kinds) {
    expect(await answer(kind, 'Step time / mean')).toBeCloseTo(measured.processing_time_ms);
    expect(await answer(kind, 'Throughput / mean')).toBeCloseTo(measured.samples_per_second);
  }
  const [classic, native] = kinds;
  const slowest = await answer(classic, 'Step time / p99');
  expect(slowest).toBeGreaterThan(200);
  expect(slowest).toBeLessThanOrEqual(500);
  // The finest schema of Prometheus has buckets that are 0.3 % wide.
  expect((await answer(native, 'Step time / p99')) / measured.processing_time_ms).toBeCloseTo(1, 2);

  const names = async (kind: string) => {
    const answer = await ask(
      `{__name__=~"ml_training_(processing_time|samples_per_second).*", job_id="${kind}"}`,
    );
    return answer.map(({ labels }) => labels.__name__).sort();
  };
  expect(await names(native)).toEqual(histograms.map(prometheusName).sort());
  expect(await names(classic)).toHaveLength(histograms.flatMap(classicSeries).length);
});

/** The steps of subqueries lie on whole minutes: asked of the next one, nobody has to wait for it. */
const nextMinute = () => Math.ceil(Date.now() / 60_000) * 60;
