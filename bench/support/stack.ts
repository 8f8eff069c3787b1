import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../test/support/port.ts';
import { until } from '../../test/support/until.ts';
import { start } from './process.ts';

export interface Stack {
  /** Where bridges send to. */
  readonly endpoint: string;
  /** The value of a query at this moment, where it has one. */
  query(promql: string): Promise<number | undefined>;
  stop(): Promise<void>;
}

/**
 * A real Collector and a real Prometheus that scrapes it as our own configuration does. What the Collector takes it also
 * passes on to `receiver` (`host:port`), before it acknowledges. Both programs have to be on the PATH.
 */
export async function startStack(folder: string, receiver: string): Promise<Stack> {
  const [otlp, metrics, web] = [await freePort(), await freePort(), await freePort()];
  const collectorFile = join(folder, 'otelcol.json');
  writeFileSync(collectorFile, JSON.stringify(collectorConfig(`${otlp}`, `${metrics}`, receiver)));
  const prometheusFile = join(folder, 'prometheus.yml');
  const shipped = readFileSync(new URL('../../prometheus.yml', import.meta.url), 'utf8');
  writeFileSync(
    prometheusFile,
    shipped.replace('otel-collector:8889', `127.0.0.1:${metrics}`).replace(/rule_files:\n.*\n/, ''),
  );
  const data = join(folder, 'prometheus');
  mkdirSync(data);
  const run = (command: string, ...args: readonly string[]) => start({ command, args, environment: {} });
  const running = [
    run('otelcol-contrib', '--config', collectorFile),
    run(
      'prometheus',
      `--config.file=${prometheusFile}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=127.0.0.1:${web}`,
      '--log.level=error',
    ),
  ];
  const stop = async () => void (await Promise.all(running.map((program) => program.stop())));
  const answers = (url: string) =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  try {
    await until(() => answers(`http://127.0.0.1:${metrics}/metrics`), 'the Collector', 60_000);
    await until(() => answers(`http://127.0.0.1:${web}/-/ready`), 'Prometheus', 60_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    endpoint: `http://127.0.0.1:${otlp}`,
    async query(promql) {
      const response = await fetch(
        `http://127.0.0.1:${web}/api/v1/query?query=${encodeURIComponent(promql)}`,
      );
      const { data } = (await response.json()) as { data: { result: { value: [number, string] }[] } };
      const [, text] = data.result[0]?.value ?? [];
      return text === undefined ? undefined : Number(text);
    },
    stop,
  };
}

const collectorConfig = (otlp: string, metrics: string, receiver: string) => ({
  receivers: { otlp: { protocols: { grpc: { endpoint: `127.0.0.1:${otlp}` } } } },
  exporters: {
    prometheus: {
      endpoint: `127.0.0.1:${metrics}`,
      metric_expiration: '60s',
      translation_strategy: 'UnderscoreEscapingWithSuffixes',
      without_scope_info: true,
    },
    otlp_grpc: {
      endpoint: receiver,
      tls: { insecure: true },
      sending_queue: { enabled: false },
      retry_on_failure: { enabled: false },
    },
  },
  service: {
    // Its own metrics would want a port, too.
    telemetry: { metrics: { level: 'none' }, logs: { level: 'error' } },
    pipelines: { metrics: { receivers: ['otlp'], exporters: ['prometheus', 'otlp_grpc'] } },
  },
});
