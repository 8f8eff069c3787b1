import {
  type Environment,
  type ParseResult,
  type Problem,
  readSettings,
  type SettingValues,
  setting,
} from '../common/setting.ts';
import {
  boolean,
  bytes,
  integer,
  keyValuePairs,
  milliseconds,
  oneOf,
  seconds,
  textSetting,
} from '../common/setting-kinds.ts';
import { type Destination, otlpSettings, printableDestination, readDestination } from './otlp.ts';
import { exporter, readTraceConfig, type TraceConfig } from './traces.ts';

const otlp = (suffix: string) => `OTEL_EXPORTER_OTLP_${suffix}`;
const resourceAttributes = keyValuePairs(/^[^\s,=]+$/, 'without spaces');
/** Kubernetes sets NAME_PORT=tcp://… for every Service in a namespace; that of one called `health` is not meant for us. */
const healthPort: (value: string) => ParseResult<number> = (value) =>
  value.startsWith('tcp://') ? { status: 'ok', value: defaultHealthPort } : integer(0, 65_535)(value);
const defaultHealthPort = 13_134;

/** Every variable the bridge reads. Our own durations are in seconds, OTEL_* ones in milliseconds, as specified. */
export const bridgeSettings = {
  metricsFilePath: setting(
    'METRICS_FILE_PATH',
    textSetting,
    '/shared/metrics/current.json',
    'The JSON file the training job writes',
  ),
  collectionIntervalMs: setting(
    'COLLECTION_INTERVAL',
    seconds(0.01),
    10_000,
    'Seconds between polls of the file, fractions allowed',
    {
      defaultText: '10',
    },
  ),
  staleAfterMs: setting(
    'STALE_AFTER',
    seconds(0.01),
    300_000,
    'Seconds without a write after which the values of the file are no longer exported',
    { defaultText: '300' },
  ),
  stallAfterMs: setting(
    'STALL_AFTER',
    seconds(0.01),
    600_000,
    'Seconds without a step after which the run counts as stalled',
    {
      defaultText: '600',
    },
  ),
  shutdownTimeoutMs: setting(
    'SHUTDOWN_TIMEOUT',
    seconds(0.1),
    10_000,
    'Seconds that the last export may take on SIGTERM',
    {
      defaultText: '10',
    },
  ),
  healthPort: setting('HEALTH_PORT', healthPort, defaultHealthPort, 'Port of /livez and /readyz; 0 is off'),
  logLevel: setting(
    'LOG_LEVEL',
    oneOf(['debug', 'info', 'warn', 'error', 'critical'], { warning: 'warn' }),
    'info',
    'debug, info, warn, error or critical',
  ),
  maxExtraMetrics: setting(
    'MAX_EXTRA_METRICS',
    integer(0, 1000),
    50,
    'How many fields beyond the known ones become gauges, a run; 0 is none',
  ),
  exportQueueSize: setting(
    'EXPORT_QUEUE_SIZE',
    integer(1, 100_000),
    2048,
    'Snapshots kept in memory while the Collector cannot be reached; the oldest are dropped beyond',
  ),
  exportQueueBytes: setting(
    'EXPORT_QUEUE_BYTES',
    bytes('1Mi', '4Gi'),
    16 * 2 ** 20,
    'Bytes they may take there, as a number or as 512Ki, 16Mi, 1Gi',
    { defaultText: '16Mi' },
  ),
  exportQueueDir: setting<string | undefined>(
    'EXPORT_QUEUE_DIR',
    textSetting,
    undefined,
    'Folder on a volume where what waits is kept, too: for outages longer than memory lasts, and for a bridge that is killed meanwhile. Bridges may share it',
  ),
  exportQueueDirBytes: setting(
    'EXPORT_QUEUE_DIR_BYTES',
    bytes('1Mi', '1024Gi'),
    256 * 2 ** 20,
    'Bytes one bridge may keep there; the oldest are dropped beyond',
    { defaultText: '256Mi' },
  ),
  sidecarMode: setting(
    'SIDECAR_MODE',
    oneOf(['native', 'container']),
    'native',
    'native: something else ends the bridge, with SIGTERM. container: it ends itself when the run is over, always with exit code 0',
  ),
  exitAfterStaleMs: setting(
    'EXIT_AFTER_STALE',
    seconds(1),
    600_000,
    'With SIDECAR_MODE=container: seconds without a write after which a run without status counts as over',
    { defaultText: '600' },
  ),
  onConfigError: setting(
    'ON_CONFIG_ERROR',
    oneOf(['exit', 'idle']),
    'exit',
    'exit: a wrong variable stops the start, exit code 2. idle: it is logged, health answers 503, and the bridge waits for SIGTERM',
  ),
  rank: setting<number | undefined>(
    'RANK',
    integer(0, 10_000_000),
    undefined,
    'Rank of this process in its job, where the file names none',
    {
      fallbacks: ['JOB_COMPLETION_INDEX'],
    },
  ),
  serviceName: setting<string | undefined>('OTEL_SERVICE_NAME', textSetting, undefined, 'service.name', {
    defaultText: 'ml-metrics-bridge',
  }),
  resourceAttributes: setting(
    'OTEL_RESOURCE_ATTRIBUTES',
    resourceAttributes,
    {} as Readonly<Record<string, string>>,
    'Resource attributes, key=value, separated by commas. service.instance.id is made from k8s.namespace.name, k8s.pod.name and k8s.container.name where these are given',
    { defaultText: '' },
  ),
  sdkDisabled: setting('OTEL_SDK_DISABLED', boolean, false, 'true: read the file and export nothing'),
  metricsExporter: setting(
    'OTEL_METRICS_EXPORTER',
    exporter,
    'otlp',
    'otlp, console or none; otlp,console prints them where the Collector cannot be reached at the start',
  ),
  exportIntervalMs: setting(
    'OTEL_METRIC_EXPORT_INTERVAL',
    milliseconds(10),
    15_000,
    "Milliseconds between exports while nothing is new; a new snapshot is exported when it is read, and with the first after this time, or after 20 s, come the run's unchanged state and the bridge's own metrics",
  ),
  ...otlpSettings('METRICS'),
  temporality: setting(
    otlp('METRICS_TEMPORALITY_PREFERENCE'),
    (value) =>
      value.toLowerCase() === 'cumulative'
        ? { status: 'ok', value: 'cumulative' as const }
        : {
            status: 'invalid',
            expected:
              'cumulative: a lost delta is lost for good, while a lost cumulative value is made up for by the next, and Prometheus takes nothing else',
          },
    'cumulative' as const,
    'Only cumulative',
  ),
  histogramAggregation: setting(
    otlp('METRICS_DEFAULT_HISTOGRAM_AGGREGATION'),
    oneOf(['explicit_bucket_histogram', 'base2_exponential_bucket_histogram']),
    'explicit_bucket_histogram',
    'explicit_bucket_histogram, or base2_exponential_bucket_histogram for one native histogram instead of a series a bucket',
  ),
} as const;

type Settings = Omit<
  SettingValues<typeof bridgeSettings>,
  keyof ReturnType<typeof otlpSettings> | 'temporality'
>;

/** The whole configuration, checked. Durations are in milliseconds. */
export interface Config extends Settings, Destination {
  /** Undefined where nothing is traced. */
  readonly traces: TraceConfig | undefined;
}

/** What is wrong, and what the environment says about that all the same. */
export interface InvalidConfig {
  readonly status: 'invalid';
  readonly problems: readonly Problem[];
  readonly idle: boolean;
  readonly healthPort: number;
  readonly sidecarMode: Config['sidecarMode'];
}

export type ConfigReading =
  | { readonly status: 'ok'; readonly config: Config; readonly warnings: readonly string[] }
  | InvalidConfig;

/** Reads the environment. All problems come at once; what to do about them (`idle`) is readable even when others are wrong. */
export function readConfig(environment: Environment): ConfigReading {
  const reading = readSettings(bridgeSettings, environment);
  const { values } = reading;
  const metrics = readDestination(reading);
  const traces = values.sdkDisabled
    ? ({ status: 'ok', config: undefined, warnings: [] } as const)
    : readTraceConfig(environment);
  if (reading.problems.length > 0 || metrics.status === 'invalid' || traces.status === 'invalid') {
    return {
      status: 'invalid',
      problems: withoutRepetition([
        ...reading.problems,
        ...(metrics.status === 'invalid' ? metrics.problems : []),
        ...(traces.status === 'invalid' ? traces.problems : []),
      ]),
      idle: values.onConfigError === 'idle',
      sidecarMode: values.sidecarMode,
      healthPort: values.healthPort,
    };
  }
  const { insecure: _insecure, protocol: _protocol, temporality: _temporality, ...rest } = values;
  const { destination } = metrics;
  const config: Config = Object.freeze({ ...rest, ...destination, traces: traces.config });
  const warnings = new Set([...destination.endpoint.warnings, ...traces.warnings]);
  return { status: 'ok', config, warnings: [...warnings] };
}

/** A variable for all signals is read for each. */
function withoutRepetition(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

/** The configuration as the first log line shows it: everything but secrets. */
export function printableConfig({ traces, ...config }: Config): Record<string, unknown> {
  return {
    ...config,
    ...printableDestination(config),
    traces: traces && { ...traces, destination: printableDestination(traces.destination) },
  };
}
