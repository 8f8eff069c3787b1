import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { type Collector, startCollector } from '../../test/e2e/collector.ts';
import { type Prometheus, startPrometheus } from '../../test/e2e/prometheus.ts';
import { instantQuery } from '../../test/support/prometheus.ts';
import { until } from '../../test/support/until.ts';
import { memoryOf } from '../support/process.ts';
import { sum } from '../support/statistics.ts';

/** Collectors and the Prometheus behind them, with the repository's own files. */
export interface Stack {
  readonly collectors: readonly Collector[];
  /** Lets Prometheus take what the Collectors have: where it scrapes, it does not before. */
  read(): Promise<Reading>;
  /** Prometheus, where it takes part in the ingest. */
  readonly ingesting: Prometheus | undefined;
  stop(): Promise<void>;
}

export interface Reading {
  /** Sidecars that Prometheus has the loss of. */
  readonly sidecars: number;
  /** Snapshots of all sidecars that Prometheus has, where it keeps each. */
  readonly stored?: number;
  /** Bytes of all Collectors together, once Prometheus has read them. */
  readonly memory: number;
  /** The second one, because the first also makes every series. One that takes longer than its interval has no samples. */
  readonly scrape?: { readonly seconds: number; readonly bytes: number; readonly samples: number };
}

export async function scraped(): Promise<Stack> {
  const collector = await startCollector();
  let prometheus: Prometheus | undefined;
  return {
    collectors: [collector],
    ingesting: undefined,
    async read() {
      prometheus = await startPrometheus({
        config: 'prometheus.yml',
        targets: [new URL(collector.scrapeUrl).host],
      });
      const { url } = prometheus;
      const tried = async () => {
        await sleep(500);
        return (await value(url, 'max(count_over_time(scrape_duration_seconds[2m]))')) > 1;
      };
      await until(tried, 'two scrapes', 60_000);
      const found = await sidecars(url);
      const seconds = await value(url, 'max(scrape_duration_seconds)');
      const samples = await value(url, 'max(scrape_samples_scraped)');
      const memory = memoryOfAll([collector]);
      // Scrapes that are given up and begun again would leave no time to answer this one.
      await prometheus.stop();
      prometheus = undefined;
      return { sidecars: found, memory, scrape: { seconds, samples, bytes: await sizeOf(collector) } };
    },
    async stop() {
      await prometheus?.stop();
      await collector.stop();
    },
  };
}

export async function pushed(): Promise<Stack> {
  const config = (name: string) => `k8s/overlays/large/${name}`;
  const deployment = parse(readFileSync(config('prometheus-patch.yaml'), 'utf8'));
  const args: string[] = deployment.spec.template.spec.containers[0].args;
  const prometheus = await startPrometheus({
    config: config('prometheus.yml'),
    // The paths are those of the pod.
    args: args.filter((arg) => !/^--(config|storage)/.test(arg)),
  });
  const pushesTo = { 'exporters.otlp_http/prometheus.endpoint': `${prometheus.url}/api/v1/otlp` };
  const collector = () => startCollector(undefined, pushesTo, config('otel-collector.yaml'));
  const collectors = [await collector(), await collector()];
  return {
    collectors,
    ingesting: prometheus,
    read: async () => ({
      sidecars: await sidecars(prometheus.url),
      stored: await value(prometheus.url, 'sum(count_over_time(ml_training_loss[30m]))'),
      memory: memoryOfAll(collectors),
    }),
    async stop() {
      for (const program of [...collectors, prometheus]) await program.stop();
    },
  };
}

export const memoryOfAll = (collectors: readonly Collector[]) =>
  sum(collectors.map(({ pid }) => memoryOf(pid).rss));

const sidecars = (url: string) => value(url, 'count(ml_training_loss)');

/** The Collector closes the connection of a scrape that takes too long, as while it still answers those that were given up. */
const sizeOf = ({ scrapeUrl }: Collector) =>
  until(() => scrapeBytes(scrapeUrl).catch(() => undefined), 'the size of a scrape', 180_000);

/** Before compression, in the format that Prometheus asks for where it takes native histograms. */
async function scrapeBytes(scrapeUrl: string): Promise<number> {
  const accept = 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited';
  const response = await fetch(scrapeUrl, { headers: { accept } });
  if (!response.ok) throw new Error(`${scrapeUrl}: ${response.status}`);
  return (await response.arrayBuffer()).byteLength;
}

/** Zero where there is no series. */
async function value(url: string, expression: string): Promise<number> {
  const [sample] = await instantQuery(url, expression);
  return sample?.value ?? 0;
}
