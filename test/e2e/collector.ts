import { freePort } from '../support/port.ts';
import { answers, type Program, startProgram } from './program.ts';

export interface Collector extends Program {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly endpoint: string;
  /** What Prometheus would scrape; nothing answers there where the configuration pushes. */
  readonly scrapeUrl: string;
}

/**
 * The Collector with a configuration of the repository's own, on free ports: OTELCOL, or the one on the PATH.
 *
 * @param jaeger host and port that traces are passed on to
 * @param more settings of its configuration, by their path
 * @param config the configuration's file
 */
export async function startCollector(
  jaeger = 'jaeger:4317',
  more: Readonly<Record<string, string>> = {},
  config = 'otel-collector.yaml',
): Promise<Collector> {
  const [otlp, prometheus, health] = [await freePort(), await freePort(), await freePort()];
  const settings = {
    'receivers.otlp.protocols.grpc.endpoint': `127.0.0.1:${otlp}`,
    'exporters.prometheus.endpoint': `127.0.0.1:${prometheus}`,
    'exporters.otlp_grpc/jaeger.endpoint': jaeger,
    'extensions.health_check.endpoint': `127.0.0.1:${health}`,
    'service.telemetry.metrics.level': 'none',
    ...more,
  };
  const overrides = Object.entries(settings).map(([key, value]) => `--set=${key}=${value}`);
  const program = await startProgram({
    program: process.env.OTELCOL || 'otelcol-contrib',
    args: [`--config=${config}`, ...overrides],
    isReady: () => answers(`http://127.0.0.1:${health}`),
  });
  return {
    ...program,
    endpoint: `http://127.0.0.1:${otlp}`,
    scrapeUrl: `http://127.0.0.1:${prometheus}/metrics`,
  };
}
