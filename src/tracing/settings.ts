import { otlpSignalSetting, type SettingValues, setting } from '../common/setting.ts';
import {
  boolean,
  integer,
  keyValuePairs,
  milliseconds,
  oneOf,
  textSetting,
} from '../common/setting-kinds.ts';
import { samplerNames } from './sampler-config.ts';

/** Standard variables of the SDK that the bridge and this library read alike. */
export const traceSdkSettings = {
  sampler: setting(
    'OTEL_TRACES_SAMPLER',
    oneOf(samplerNames),
    'parentbased_always_on',
    'always_on, always_off, traceidratio or jaeger_remote, each also with the prefix parentbased_',
  ),
  samplerArgument: setting<string | undefined>(
    'OTEL_TRACES_SAMPLER_ARG',
    textSetting,
    undefined,
    'For traceidratio the share of traces that is kept, 0 to 1 (default 1). For jaeger_remote endpoint=URL, pollingIntervalMs=60000 and initialSamplingRate=0.001, separated by commas',
    { defaultText: '' },
  ),
  queueSize: setting(
    'OTEL_BSP_MAX_QUEUE_SIZE',
    integer(1, 1_000_000),
    2048,
    'Maximum number of spans that wait to be exported',
  ),
  batchSize: setting(
    'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    integer(1, 1_000_000),
    512,
    'Maximum number of spans in one request',
  ),
  delayMs: setting('OTEL_BSP_SCHEDULE_DELAY', milliseconds(0), 5000, 'Milliseconds between two requests'),
  exportTimeoutMs: setting(
    'OTEL_BSP_EXPORT_TIMEOUT',
    milliseconds(1),
    30_000,
    'Timeout of one request, in milliseconds',
  ),
} as const;

const yes = ['1', 'yes', 'on'].map((word) => [word, 'true'] as const);
const no = ['0', 'no', 'off'].map((word) => [word, 'false'] as const);
const onOrOff = oneOf(['true', 'false'], Object.fromEntries([...yes, ...no]));

const otlp = otlpSignalSetting('TRACES');

/**
 * Every variable that `configureTracing` reads itself. Headers, certificates, compression and timeout are read by the
 * official exporter under their standard names.
 */
export const tracingSettings = {
  enabled: setting('TRACING_ENABLED', onOrOff, 'true', 'false: no SDK is set up, and spans are no-ops'),
  sdkDisabled: setting(
    'OTEL_SDK_DISABLED',
    boolean,
    false,
    'true: no SDK is set up, as with TRACING_ENABLED=false',
  ),
  exporter: setting(
    'OTEL_TRACES_EXPORTER',
    oneOf(['otlp', 'console', 'none']),
    'otlp',
    'otlp, console or none; with none the trace context is still propagated, but no span is exported',
  ),
  serviceName: setting<string | undefined>(
    'OTEL_SERVICE_NAME',
    textSetting,
    undefined,
    'service.name; overrides the name that the program sets',
    { defaultText: '' },
  ),
  resourceAttributes: setting(
    'OTEL_RESOURCE_ATTRIBUTES',
    keyValuePairs(/^[^\s,=]+$/, 'without spaces'),
    {} as Readonly<Record<string, string>>,
    'Resource attributes, key=value, separated by commas; they override those that the program sets',
    { defaultText: '' },
  ),
  endpoint: otlp<string | undefined>(
    'ENDPOINT',
    textSetting,
    undefined,
    'Address of the Collector: http:// (plaintext), https:// or host:port. Default: the address that the program sets, otherwise http://localhost:4317',
  ),
  insecure: otlp<boolean | undefined>(
    'INSECURE',
    boolean,
    undefined,
    'For an address without scheme: true is plaintext, false is TLS',
  ),
  protocol: otlp('PROTOCOL', oneOf(['grpc']), 'grpc', 'Only grpc is supported'),
  ...traceSdkSettings,
} as const;

export type TracingValues = SettingValues<typeof tracingSettings>;
