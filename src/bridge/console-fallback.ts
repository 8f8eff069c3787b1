import type { Logger } from '../common/logger.ts';
import { withAbortGrace } from '../common/timing.ts';
import type { Config } from '../config/bridge.ts';
import type { Destination } from '../config/otlp.ts';
import { type ExporterOptions, exportersOf } from '../otlp/exporter.ts';
import { metricsSignal } from '../otlp/metrics-signal.ts';
import { probeCollector } from '../otlp/probe.ts';

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
    what: keyof typeof probes,
  ): Promise<Exclude<T, 'otlp,console'> | 'otlp' | 'console'> => {
    if (wanted !== 'otlp,console') return wanted as Exclude<T, 'otlp,console'>;
    const timeoutMs = Math.min(destination.timeoutMs, longestWaitMs);
    const answer = probes[what]({ ...destination, timeoutMs, version });
    const outcome = await withAbortGrace(answer, signal, 0);
    if (outcome?.status !== 'retry') return 'otlp';
    const endpoint = destination.endpoint.target;
    log.warn({ endpoint, reason: outcome.reason }, `Collector cannot be reached: ${what} are printed`);
    return 'console';
  };
  const [metricsExporter, exporter] = await Promise.all([
    resolve(config.metricsExporter, config, 'metrics'),
    traces && resolve(traces.exporter, traces.destination, 'spans'),
  ]);
  return { ...config, metricsExporter, traces: traces && exporter && { ...traces, exporter } };
}

const probes = {
  metrics: (options: ExporterOptions) => probeCollector(exportersOf(metricsSignal, options)()),
  /** Loads the exporter of spans only where it is asked for. */
  async spans(options: ExporterOptions) {
    const { spansSignal } = await import('../otlp/spans-signal.ts');
    return probeCollector(exportersOf(spansSignal, options)());
  },
};
