import { type Environment, type Problem, readSettings, setting } from '../common/setting.ts';
import { oneOf, textSetting } from '../common/setting-kinds.ts';
import type { TraceEnv } from '../tracing/env.ts';
import { parseSampler, type SamplerConfig } from '../tracing/sampler-config.ts';
import { traceSdkSettings } from '../tracing/settings.ts';
import { type Destination, otlpSettings, readDestination } from './otlp.ts';

const exporters = oneOf(['otlp', 'console', 'none', 'otlp,console']);

/** How OTEL_METRICS_EXPORTER and OTEL_TRACES_EXPORTER are written: a list, in any order. */
export const exporter: typeof exporters = (value) =>
  exporters(
    value
      .split(',')
      .map((name) => name.trim())
      .sort()
      .reverse()
      .join(','),
  );

/** Every variable the bridge reads for traces alone. */
export const bridgeTraceSettings = {
  exporter: setting(
    'OTEL_TRACES_EXPORTER',
    exporter,
    'none',
    'otlp, console or none; otlp,console prints spans where the Collector cannot be reached at the start. None by default, as every training node pays for the memory of the others',
  ),
  traceparent: setting<string | undefined>(
    'TRACEPARENT',
    textSetting,
    undefined,
    'W3C trace context of whoever submitted the job; without it that of the file',
  ),
  tracestate: setting<string | undefined>(
    'TRACESTATE',
    textSetting,
    undefined,
    'W3C trace state that goes with TRACEPARENT',
  ),
  ...traceSdkSettings,
  ...otlpSettings('TRACES'),
} as const;

/** How runs are traced. Durations are in milliseconds. */
export interface TraceConfig {
  readonly exporter: 'otlp' | 'console' | 'otlp,console';
  readonly destination: Destination;
  /** Whom the environment names as the parent of every run. */
  readonly parent: TraceEnv;
  readonly sampler: SamplerConfig;
  readonly queueSize: number;
  readonly batchSize: number;
  readonly delayMs: number;
  readonly exportTimeoutMs: number;
}

export type TraceConfigReading =
  | { readonly status: 'ok'; readonly config: TraceConfig | undefined; readonly warnings: readonly string[] }
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Where nothing is traced, what else is said about traces is not looked at: it is often meant for all of a pod. */
export function readTraceConfig(environment: Environment): TraceConfigReading {
  const { exporter: row, ...others } = bridgeTraceSettings;
  const wanted = readSettings({ exporter: row }, environment);
  if (wanted.status === 'invalid') return { status: 'invalid', problems: wanted.problems };
  const { exporter } = wanted.values;
  if (exporter === 'none') return { status: 'ok', config: undefined, warnings: [] };
  const reading = readSettings(others, environment);
  const { values } = reading;
  const destination = readDestination(reading);
  const sampler = parseSampler(values.sampler, values.samplerArgument);
  if (reading.problems.length > 0 || destination.status === 'invalid' || sampler.status === 'invalid') {
    const more = [
      ...(destination.status === 'invalid' ? destination.problems : []),
      ...(sampler.status === 'invalid' ? [sampler.problem] : []),
    ];
    return { status: 'invalid', problems: [...reading.problems, ...more] };
  }
  const { queueSize, batchSize, delayMs, exportTimeoutMs, traceparent, tracestate } = values;
  const parent: TraceEnv = {
    ...(traceparent !== undefined && { TRACEPARENT: traceparent }),
    ...(tracestate !== undefined && { TRACESTATE: tracestate }),
  };
  return {
    status: 'ok',
    config: {
      exporter,
      destination: destination.destination,
      parent,
      sampler: sampler.sampler,
      queueSize,
      batchSize: Math.min(batchSize, queueSize),
      delayMs,
      exportTimeoutMs,
    },
    warnings: destination.destination.endpoint.warnings,
  };
}
