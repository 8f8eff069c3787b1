import type { Logger } from '../common/logger.ts';
import { withAbortGrace } from '../common/timing.ts';
import type { Config } from '../config/bridge.ts';
import type { Destination } from '../config/otlp.ts';
import { createConnection, metricsMethod, traceMethod } from '../otlp/connection.ts';
import { reach } from '../otlp/reach.ts';

/** The longest a start waits for a Collector that does not answer. */
const longestWaitMs = 3_000;

/**
 * Resolves `otlp,console`: if the Collector cannot be reached at the start, metrics or spans are printed. A shutdown
 * does not wait for the answer: what is left then goes to the Collector.
 */
export async function resolveExporters(
  config: Config,
  version: string,
  log: Logger,
  signal: AbortSignal,
): Promise<Config> {
  const { traces } = config;
  const resolve = async <T extends string>(
    wanted: T,
    destination: Destination,
    method: string,
    what: string,
  ): Promise<Exclude<T, 'otlp,console'> | 'otlp' | 'console'> => {
    if (wanted !== 'otlp,console') return wanted as Exclude<T, 'otlp,console'>;
    const timeoutMs = Math.min(destination.timeoutMs, longestWaitMs);
    const answer = reach(createConnection({ ...destination, timeoutMs, method, version }));
    const result = await withAbortGrace(answer, signal, 0);
    if (result === undefined || result.status === 'reached') return 'otlp';
    const endpoint = destination.endpoint.target;
    log.warn({ endpoint, reason: result.reason }, `Collector cannot be reached: ${what} are printed`);
    return 'console';
  };
  const [metricsExporter, exporter] = await Promise.all([
    resolve(config.metricsExporter, config, metricsMethod, 'metrics'),
    traces && resolve(traces.exporter, traces.destination, traceMethod, 'spans'),
  ]);
  return { ...config, metricsExporter, traces: traces && exporter && { ...traces, exporter } };
}
