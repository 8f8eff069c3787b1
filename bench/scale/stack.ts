import { setTimeout as sleep } from 'node:timers/promises';
import { type Collector, startCollector } from '../../test/e2e/collector.ts';
import type { Program } from '../../test/e2e/program.ts';
import { type Prometheus, startPrometheus, startPushedPrometheus } from '../../test/e2e/prometheus.ts';
import { startThanos } from '../../test/e2e/thanos.ts';
import { instantQuery } from '../../test/support/prometheus.ts';
import { until } from '../../test/support/until.ts';
import { memoryOf } from '../support/process.ts';
import { sum } from '../support/statistics.ts';

/** Collectors and the engine behind them, with the repository's own files. */
export interface Stack {
  readonly collectors: readonly Collector[];
  /** Asks the engine what it has. Where it scrapes, it has nothing before. */
  read(): Promise<Reading>;
  /** The processes of the engine that the Collectors push to; undefined where it scrapes them. */
  readonly engine: readonly number[] | undefined;
  stop(): Promise<void>;
}

export interface Reading {
  /** Sidecars that the engine has the loss of. */
  readonly sidecars: number;
  /** Snapshots of all sidecars that the engine has, where it keeps each. */
  readonly stored?: number;
  /** Bytes of all Collectors together, once the engine has them. */
  readonly memory: number;
  /** The second one, because the first also makes every series. One that takes longer than its interval has no samples. */
  readonly scrape?: { readonly seconds: number; readonly bytes: number; readonly samples: number };
}

export async function scraped(): Promise<Stack> {
  const collector = await startCollector();
  let prometheus: Prometheus | undefined;
  return {
    collectors: [collector],
    engine: undefined,
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
      const memory = memoryOfAll([collector.pid]);
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

export const pushingConfig = 'k8s/overlays/large/otel-collector.yaml';

/** Settings of a Collector of `k8s/overlays/large`. */
export const pushingTo = ({ url }: Prometheus) => ({
  'exporters.otlp_http/prometheus.endpoint': `${url}/api/v1/otlp`,
});

export async function pushed(): Promise<Stack> {
  const prometheus = await startPushedPrometheus();
  return startPushing(prometheus, [prometheus.pid], () =>
    startCollector(undefined, pushingTo(prometheus), pushingConfig),
  );
}

/** `k8s/overlays/distributed`: three receivers, each with every sample. */
export async function distributed(): Promise<Stack> {
  const thanos = await startThanos();
  return startPushing(thanos, thanos.pids, (number) =>
    startCollector(
      undefined,
      { 'exporters.otlp_http/thanos.metrics_endpoint': `${thanos.receivers[number]}/api/v1/otlp` },
      'k8s/overlays/distributed/otel-collector.yaml',
    ),
  );
}

/** Two Collectors before an engine that they push to. */
async function startPushing(
  engine: Program & { readonly url: string },
  pids: readonly number[],
  startOne: (number: number) => Promise<Collector>,
): Promise<Stack> {
  const collectors = [await startOne(0), await startOne(1)];
  return {
    collectors,
    engine: pids,
    read: async () => ({
      sidecars: await sidecars(engine.url),
      stored: await value(engine.url, 'sum(count_over_time(ml_training_loss[1h]))'),
      memory: memoryOfAll(collectors.map(({ pid }) => pid)),
    }),
    async stop() {
      for (const program of [...collectors, engine]) await program.stop();
    },
  };
}

export const memoryOfAll = (pids: readonly number[]) => sum(pids.map((pid) => memoryOf(pid).rss));

/** Also those whose turn came longer ago than an instant query looks back. */
const sidecars = (url: string) => value(url, 'count(last_over_time(ml_training_loss[1h]))');

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
