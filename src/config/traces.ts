import {
  type Environment,
  type Problem,
  printableValues,
  readSettings,
  type SettingValues,
  setting,
} from '../common/setting.ts';
import { oneOf, textSetting } from '../common/setting-kinds.ts';
import type { TraceEnv } from '../tracing/env.ts';
import { parseSampler, type SamplerConfig } from '../tracing/sampler-config.ts';
import { traceSdkSettings } from '../tracing/settings.ts';
import { type Destination, otlpSettings, printableDestination, readDestination } from './otlp.ts';

const exporterNames = oneOf(['otlp', 'console', 'none', 'otlp,console']);

/** The value of OTEL_METRICS_EXPORTER and OTEL_TRACES_EXPORTER: a list, in any order. */
export const exporterList: typeof exporterNames = (value) =>
  exporterNames(
    value
      .split(',')
      .map((name) => name.trim())
      .sort()
      .reverse()
      .join(','),
  );

const exporterSetting = setting(
  'OTEL_TRACES_EXPORTER',
  exporterList,
  'none',
  'otlp, console or none; with otlp,console spans are printed if the Collector cannot be reached at the start. The default is none because spans take memory on every training node',
);

const ownTraceSettings = {
  traceparent: setting<string | undefined>(
    'TRACEPARENT',
    textSetting,
    undefined,
    'W3C trace context of the program that submitted the job; if it is not set, traceparent in the file is used',
  ),
  tracestate: setting<string | undefined>(
    'TRACESTATE',
    textSetting,
    undefined,
    'W3C trace state that belongs to TRACEPARENT',
  ),
  ...traceSdkSettings,
} as const;

/** Every variable that the bridge reads for traces alone. */
export const bridgeTraceSettings = {
  exporter: exporterSetting,
  ...ownTraceSettings,
  ...otlpSettings('TRACES'),
} as const;

type OwnValues = SettingValues<typeof ownTraceSettings>;

/** How runs are traced. Durations are in milliseconds. */
export interface TraceConfig
  extends Omit<OwnValues, 'traceparent' | 'tracestate' | 'sampler' | 'samplerArgument'> {
  readonly exporter: 'otlp' | 'console' | 'otlp,console';
  readonly destination: Destination;
  /** The parent of every run according to the environment. */
  readonly parent: TraceEnv;
  readonly sampler: SamplerConfig;
}

export type TraceConfigResult =
  | { readonly status: 'ok'; readonly config: TraceConfig | undefined; readonly warnings: readonly string[] }
  | { readonly status: 'invalid'; readonly problems: readonly Problem[] };

/** Reads the variables of traces. Without an exporter the others are not checked: they are often set for a whole pod. */
export function readTraceConfig(environment: Environment): TraceConfigResult {
  const wanted = readSettings({ exporter: exporterSetting }, environment);
  if (wanted.status === 'invalid') return { status: 'invalid', problems: wanted.problems };
  const { exporter } = wanted.values;
  if (exporter === 'none') return { status: 'ok', config: undefined, warnings: [] };
  const read = readSettings(ownTraceSettings, environment);
  const { traceparent, tracestate, sampler: samplerName, samplerArgument, ...values } = read.values;
  const destination = readDestination('TRACES', environment);
  const sampler = parseSampler(samplerName, samplerArgument);
  if (read.status === 'invalid' || destination.status === 'invalid' || sampler.status === 'invalid') {
    const problems = [
      ...read.problems,
      ...(destination.status === 'invalid' ? destination.problems : []),
      ...(sampler.status === 'invalid' ? [sampler.problem] : []),
    ];
    return { status: 'invalid', problems };
  }
  const parent: TraceEnv = {
    ...(traceparent !== undefined && { TRACEPARENT: traceparent }),
    ...(tracestate !== undefined && { TRACESTATE: tracestate }),
  };
  const config: TraceConfig = {
    ...values,
    batchSize: Math.min(values.batchSize, values.queueSize),
    exporter,
    destination: destination.destination,
    parent,
    sampler: sampler.sampler,
  };
  return { status: 'ok', config, warnings: [...read.warnings, ...destination.warnings] };
}

/** The configuration of traces for printing, without secrets. */
export function printableTraceConfig(config: TraceConfig): Record<string, unknown> {
  return {
    ...printableValues(ownTraceSettings, { ...config }),
    destination: printableDestination(config.destination),
  };
}
