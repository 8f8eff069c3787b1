import type { Logger } from '../common/logger.ts';
import type { Config } from '../config/bridge.ts';
import type { Destination } from '../config/otlp.ts';
import { createConnection, metricsMethod, traceMethod } from '../otlp/connection.ts';
import { reach } from '../otlp/reach.ts';

/** The longest a start waits for a Collector that does not answer. */
const longestWaitMs = 3_000;

/** Settles `otlp,console`: what cannot reach its Collector at the start is printed from then on. */
export async function settleExporters(config: Config, version: string, log: Logger): Promise<Config> {
  const { traces } = config;
  const settle = async <T extends string>(
    wanted: T,
    destination: Destination,
    method: string,
    what: string,
  ): Promise<Exclude<T, 'otlp,console'> | 'otlp' | 'console'> => {
    if (wanted !== 'otlp,console') return wanted as Exclude<T, 'otlp,console'>;
    const timeoutMs = Math.min(destination.timeoutMs, longestWaitMs);
    const answer = await reach(createConnection({ ...destination, timeoutMs, method, version }));
    if (answer.status === 'reached') return 'otlp';
    const endpoint = destination.endpoint.target;
    log.warn({ endpoint, reason: answer.reason }, `Collector cannot be reached: ${what} are printed`);
    return 'console';
  };
  const [metricsExporter, exporter] = await Promise.all([
    settle(config.metricsExporter, config, metricsMethod, 'metrics'),
    traces && settle(traces.exporter, traces.destination, traceMethod, 'spans'),
  ]);
  return { ...config, metricsExporter, traces: traces && exporter && { ...traces, exporter } };
}
