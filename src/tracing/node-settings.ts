import {
  boolean,
  keyValuePairs,
  oneOf,
  type SettingValues,
  setting,
  textSetting,
} from '../config/setting.ts';
import { signalSetting } from '../config/signal-setting.ts';
import { traceSettings } from '../config/trace-settings.ts';

const yes = ['1', 'yes', 'on'].map((word) => [word, 'true'] as const);
const no = ['0', 'no', 'off'].map((word) => [word, 'false'] as const);
const onOrOff = oneOf(['true', 'false'], Object.fromEntries([...yes, ...no]));

const otlp = signalSetting('TRACES');

/**
 * Every variable `configureTracing` reads itself. Headers, certificates, compression and timeout are read by the
 * exporter, by their standard names.
 */
export const tracingSettings = {
  enabled: setting('TRACING_ENABLED', onOrOff, 'true', 'false: no SDK is set up, and spans are no-ops'),
  sdkDisabled: setting('OTEL_SDK_DISABLED', boolean, false, 'true: as TRACING_ENABLED=false'),
  exporter: setting(
    'OTEL_TRACES_EXPORTER',
    oneOf(['otlp', 'console', 'none']),
    'otlp',
    'otlp, console, or none: context is passed on and no span is sent',
  ),
  serviceName: setting<string | undefined>(
    'OTEL_SERVICE_NAME',
    textSetting,
    undefined,
    'service.name; wins over what the program gives',
    { defaultText: '' },
  ),
  resourceAttributes: setting(
    'OTEL_RESOURCE_ATTRIBUTES',
    keyValuePairs(/^[^\s,=]+$/, 'without spaces'),
    {} as Readonly<Record<string, string>>,
    'Resource attributes, key=value, separated by commas; win over what the program gives',
    { defaultText: '' },
  ),
  endpoint: otlp<string | undefined>(
    'ENDPOINT',
    textSetting,
    undefined,
    'Address of the Collector: http:// (plaintext) or https://, host:port. Without it what the program gives, else http://localhost:4317',
  ),
  insecure: otlp<boolean | undefined>(
    'INSECURE',
    boolean,
    undefined,
    'For an address without scheme: true is plaintext, false is TLS',
  ),
  protocol: otlp('PROTOCOL', oneOf(['grpc']), 'grpc', 'Only grpc is spoken'),
  ...traceSettings,
} as const;

export type TracingValues = SettingValues<typeof tracingSettings>;
