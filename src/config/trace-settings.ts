import { samplers } from '../tracing/sampler-names.ts';
import { integer, milliseconds, oneOf, setting, textSetting } from './setting.ts';

/** The standard variables of tracing that the bridge and the library for programs that submit jobs read alike. */
export const traceSettings = {
  sampler: setting(
    'OTEL_TRACES_SAMPLER',
    oneOf(samplers),
    'parentbased_always_on',
    'always_on, always_off, traceidratio or jaeger_remote, or each with parentbased_ before it',
  ),
  samplerArgument: setting<string | undefined>(
    'OTEL_TRACES_SAMPLER_ARG',
    textSetting,
    undefined,
    'For traceidratio the share of traces that are kept, 0 to 1 (1 if not given). For jaeger_remote endpoint=URL, pollingIntervalMs=60000 and initialSamplingRate=0.001, separated by commas',
    { defaultText: '' },
  ),
  queueSize: setting(
    'OTEL_BSP_MAX_QUEUE_SIZE',
    integer(1, 1_000_000),
    2048,
    'Spans kept until they are sent',
  ),
  batchSize: setting('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', integer(1, 1_000_000), 512, 'Spans in one request'),
  delayMs: setting('OTEL_BSP_SCHEDULE_DELAY', milliseconds(0), 5000, 'Milliseconds between two requests'),
  exportTimeoutMs: setting(
    'OTEL_BSP_EXPORT_TIMEOUT',
    milliseconds(1),
    30_000,
    'Milliseconds one request may take',
  ),
} as const;
