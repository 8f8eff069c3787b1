import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from '../../support/file.ts';
import { freePort } from '../../support/port.ts';
import { until } from '../../support/until.ts';
import { type Collector, startCollector } from '../collector.ts';
import { answers, startProgram } from '../program.ts';

/** A Collector that passes metrics on to a Prometheus, and can be killed and started again at the same address. */
export interface Backend {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  start(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
  /** What Prometheus would scrape from the Collector that runs. */
  scrape(): Promise<string>;
  /** All that Prometheus has stored of a selector, each series oldest first. */
  stored(selector: string): Promise<readonly Series[]>;
}

export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly samples: readonly StoredSample[];
}

export interface StoredSample {
  readonly timeMs: number;
  readonly value: number;
}

/**
 * The real Collector, with the repository's configuration, in front of the real Prometheus' own OTLP receiver, which keeps
 * timestamps.
 *
 * @param window of Prometheus for points that are out of order, and of what `stored` reads
 */
export async function startBackend(window = '1h'): Promise<Backend> {
  const prometheus = await startStorage({ window });
  const port = await freePort();
  let collector: Collector | undefined;
  const kill = async () => {
    await collector?.stop();
    collector = undefined;
  };
  onTestFinished(kill);
  const backend: Backend = {
    endpoint: `http://127.0.0.1:${port}`,
    async start() {
      collector = await startCollector(undefined, {
        'receivers.otlp.protocols.grpc.endpoint': `127.0.0.1:${port}`,
        'exporters.otlp_http/prometheus.endpoint': `${prometheus}/api/v1/otlp`,
        // As the file has it for what it passes on: nothing is acknowledged that waits in the Collector.
        'exporters.otlp_http/prometheus.sending_queue.enabled': 'false',
        'exporters.otlp_http/prometheus.retry_on_failure.enabled': 'false',
        'service.pipelines.metrics.exporters': '[otlp_http/prometheus,prometheus]',
      });
    },
    kill,
    async scrape() {
      if (collector === undefined) throw new Error('no Collector runs');
      return (await fetch(collector.scrapeUrl)).text();
    },
    stored: (selector) => storedIn(prometheus, selector, window),
  };
  await backend.start();
  return backend;
}

/** All that a Prometheus has stored of a selector until now, each series oldest first. */
export async function storedIn(
  prometheus: string,
  selector: string,
  window: string,
): Promise<readonly Series[]> {
  const url = new URL(`${prometheus}/api/v1/query`);
  url.search = new URLSearchParams({ query: `${selector}[${window}]` }).toString();
  const answer = (await (await fetch(url)).json()) as Answer;
  if (answer.status !== 'success') throw new Error(`${url}: ${answer.error}`);
  return answer.data.result.map(({ metric, values }) => ({ labels: metric, samples: values.map(sample) }));
}

interface Answer {
  readonly status: string;
  readonly error?: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

const sample = ([seconds, value]: readonly [number, string]): StoredSample => ({
  timeMs: Math.round(seconds * 1000),
  value: Number(value),
});

export interface StorageOptions {
  /** For points that are out of order. */
  readonly window: string;
  /** Blocks that are there already. */
  readonly data?: string;
}

/** A Prometheus that nothing is scraped by. Gives its URL. */
export async function startStorage({ window, data }: StorageOptions): Promise<string> {
  const folder = temporaryFolder();
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, `storage: {tsdb: {out_of_order_time_window: ${window}}}\n`);
  const address = `127.0.0.1:${await freePort()}`;
  const { stop } = await startProgram({
    program: process.env.PROMETHEUS || 'prometheus',
    args: [
      `--config.file=${config}`,
      `--storage.tsdb.path=${data ?? join(folder, 'data')}`,
      `--web.listen-address=${address}`,
      '--web.enable-otlp-receiver',
    ],
    isReady: () => answers(`http://${address}/-/ready`),
  });
  onTestFinished(stop);
  return `http://${address}`;
}

/** Waits until Prometheus has stored a value of a selector. */
export const untilStored = (backend: Backend, selector: string, value: number): Promise<boolean> =>
  until(
    async () =>
      (await backend.stored(selector)).some(({ samples }) => samples.some((it) => it.value === value)),
    `${selector} of ${value} in Prometheus`,
    60_000,
  );
