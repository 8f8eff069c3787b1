import { frameworkFormats, logFormats, metricsFileFormats } from '../catalogue/file-formats.ts';
import { pathOrPattern } from '../common/glob.ts';
import { keysOf } from '../common/keys.ts';
import {
  type Environment,
  type ParseResult,
  type Problem,
  printableValues,
  readSettings,
  type SettingValues,
  setting,
} from '../common/setting.ts';
import {
  boolean,
  bytes,
  cappedAt,
  integer,
  keyValuePairs,
  milliseconds,
  oneOf,
  seconds,
  textSetting,
} from '../common/setting-kinds.ts';
import {
  type HeartbeatConfig,
  heartbeatSettings,
  printableHeartbeat,
  readHeartbeatConfig,
} from './heartbeat.ts';
import { type Destination, otlpSettings, printableDestination, readDestination } from './otlp.ts';
import { proxyWarnings } from './proxy.ts';
import { exporterList, printableTraceConfig, readTraceConfig, type TraceConfig } from './traces.ts';
import {
  printableTrainJobStatus,
  readTrainJobStatusConfig,
  type TrainJobStatusConfig,
  trainJobStatusSettings,
} from './trainjob-status.ts';

const defaultHealthPort = 13_134;
/** Kubernetes sets HEALTH_PORT=tcp://… in a namespace with a Service called `health`; it is not meant for the bridge. */
const healthPort = (value: string): ParseResult<number> =>
  value.startsWith('tcp://') ? { status: 'ok', value: defaultHealthPort } : integer(0, 65_535)(value);

const onlyCumulative = (value: string): ParseResult<'cumulative'> =>
  value.toLowerCase() === 'cumulative'
    ? { status: 'ok', value: 'cumulative' }
    : {
        status: 'invalid',
        expected:
          'cumulative: a delta that is lost cannot be recovered, a lost cumulative value is replaced by the next one, and Prometheus accepts only cumulative values',
      };

const ownSettings = {
  metricsFilePath: setting(
    'METRICS_FILE_PATH',
    pathOrPattern,
    '/shared/metrics/current.json',
    'The file that the training job writes: its latest values as JSON, or a log that its framework appends to. Of a folder, or a pattern such as /runs/*/events.*, the newest run is followed',
  ),
  metricsFileFormat: setting(
    'METRICS_FILE_FORMAT',
    oneOf(metricsFileFormats),
    'auto',
    `auto, json (the file of the latest values), a framework (${keysOf(frameworkFormats).join(', ')}) or a format of logs (${logFormats.join(', ')})`,
  ),
  metricsStart: setting(
    'METRICS_START',
    oneOf(['end', 'beginning']),
    'end',
    'Where to begin in a log that is there when the bridge starts. end: the last record of each kind, then what is appended; nothing of a log that has not been written for 60 seconds. beginning: all records',
  ),
  jobId: setting<string | undefined>(
    'JOB_ID',
    textSetting,
    undefined,
    'job.id of a run whose log does not say it',
    { defaultText: 'the nearest folder of the log with a name of its own' },
  ),
  modelName: setting<string | undefined>(
    'MODEL_NAME',
    textSetting,
    undefined,
    'model.name of a run whose log does not say it',
  ),
  dataset: setting<string | undefined>(
    'DATASET',
    textSetting,
    undefined,
    'dataset of a run whose log does not say it',
  ),
  collectionIntervalMs: setting(
    'COLLECTION_INTERVAL',
    seconds(0.01),
    10_000,
    'Seconds between polls of the file, fractions allowed',
    { defaultText: '10' },
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
    'Seconds without progress of the step after which the run is reported as stalled',
    { defaultText: '600' },
  ),
  shutdownTimeoutMs: setting(
    'SHUTDOWN_TIMEOUT',
    seconds(0.1),
    10_000,
    'Maximum seconds for the last export after SIGTERM',
    { defaultText: '10' },
  ),
  healthPort: setting(
    'HEALTH_PORT',
    healthPort,
    defaultHealthPort,
    'Port of /livez and /readyz; 0 turns it off',
  ),
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
    'Maximum number of additional fields of the file that become gauges, for each run; 0 turns them off',
  ),
  exportMinIntervalMs: setting(
    'EXPORT_MIN_INTERVAL',
    seconds(0, 30),
    5_000,
    'Shortest time in seconds between two exports of new snapshots, at most 30, fractions allowed. A snapshot after a pause is exported at once; those read within this time after it are exported together, each with its own time. After a pause or an event, this time is once shortened at random, by up to a third of the export interval, so that many bridges do not export at the same moment. 0 exports each at once. A run that begins, ends, stalls, becomes stale or becomes NaN, and the last export after SIGTERM, never wait',
    { defaultText: '5' },
  ),
  exportQueueSize: setting(
    'EXPORT_QUEUE_SIZE',
    integer(1, 100_000),
    2048,
    'Maximum number of snapshots kept in memory while the Collector cannot be reached; the oldest are dropped first',
  ),
  exportQueueBytes: setting(
    'EXPORT_QUEUE_BYTES',
    bytes('1Mi', '4Gi'),
    16 * 2 ** 20,
    'Maximum size of these snapshots in memory, in bytes or as 512Ki, 16Mi, 1Gi',
    { defaultText: '16Mi' },
  ),
  exportQueueDir: setting<string | undefined>(
    'EXPORT_QUEUE_DIR',
    textSetting,
    undefined,
    'Folder on a volume for snapshots that wait to be exported, in addition to memory. It covers outages that memory cannot hold and a bridge that is killed during an outage. Several bridges may share it',
  ),
  exportQueueDirBytes: setting(
    'EXPORT_QUEUE_DIR_BYTES',
    bytes('1Mi', '1024Gi'),
    256 * 2 ** 20,
    'Maximum size of the files of one bridge in that folder; the oldest are dropped first',
    { defaultText: '256Mi' },
  ),
  sidecarMode: setting(
    'SIDECAR_MODE',
    oneOf(['native', 'container']),
    undefined,
    'native: the bridge runs until SIGTERM. container: the bridge exits when the run is over, always with exit code 0',
    { defaultText: 'native' },
  ),
  exitAfterStaleMs: setting(
    'EXIT_AFTER_STALE',
    seconds(1),
    600_000,
    'With SIDECAR_MODE=container: seconds without a write after which a run without status counts as over',
    { defaultText: '600' },
  ),
  exitAfterFailedMs: setting(
    'EXIT_AFTER_FAILED',
    seconds(0),
    120_000,
    'With SIDECAR_MODE=container: seconds that the bridge waits for a new run after the status failed, because Kubernetes may restart the trainer in its pod',
    { defaultText: '120' },
  ),
  onConfigError: setting(
    'ON_CONFIG_ERROR',
    oneOf(['exit', 'idle']),
    'exit',
    'exit: an invalid variable stops the start with exit code 2. idle: it is logged, /readyz answers 503, and the bridge waits for SIGTERM',
  ),
  rank: setting<number | undefined>(
    'RANK',
    integer(0, 10_000_000),
    undefined,
    'Rank of this process in its job, used when the file contains none',
    { fallbacks: ['JOB_COMPLETION_INDEX'] },
  ),
  rankOffset: setting(
    'RANK_OFFSET',
    integer(0, 10_000_000),
    0,
    'Added to RANK or JOB_COMPLETION_INDEX, for jobs in which replicas of another type have the first ranks',
  ),
  terminationMessagePath: setting(
    'TERMINATION_MESSAGE_PATH',
    textSetting,
    '/dev/termination-log',
    "File for a summary of the run when the bridge ends, as JSON of at most 4 KiB. Kubernetes shows it as the container's termination message. It is written only if the file exists",
  ),
  rankFiles: setting<string | undefined>(
    'RANK_FILES',
    pathOrPattern,
    undefined,
    'Files of the other ranks in this pod, as a glob such as /shared/metrics/rank-*.json; at most 64. Each has rank, global_step, and rank_compute_ms or processing_time_ms. Those of another run are skipped',
  ),
  serviceName: setting<string | undefined>('OTEL_SERVICE_NAME', textSetting, undefined, 'service.name', {
    defaultText: 'ml-metrics-bridge',
  }),
  resourceAttributes: setting(
    'OTEL_RESOURCE_ATTRIBUTES',
    keyValuePairs(/^[^\s,=]+$/, 'without spaces'),
    {} as Readonly<Record<string, string>>,
    'Resource attributes, key=value, separated by commas. If k8s.namespace.name, k8s.pod.name and k8s.container.name are given, service.instance.id is made from them',
    { defaultText: '' },
  ),
  sdkDisabled: setting(
    'OTEL_SDK_DISABLED',
    boolean,
    false,
    'true: the file is read, but nothing is exported',
  ),
  metricsExporter: setting(
    'OTEL_METRICS_EXPORTER',
    exporterList,
    'otlp',
    'otlp, console or none; with otlp,console metrics are printed if the Collector cannot be reached at the start',
  ),
  exportIntervalMs: setting(
    'OTEL_METRIC_EXPORT_INTERVAL',
    cappedAt(
      30_000,
      'the Collector drops a series that it has not received for 60 seconds',
      milliseconds(10),
    ),
    15_000,
    "Milliseconds between exports while there is no new snapshot, at most 30000. For new snapshots, see EXPORT_MIN_INTERVAL. The unchanged state of the run and the bridge's own metrics are exported with the first request after this time, and with the first new snapshot after 15 s",
  ),
  temporality: setting(
    'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE',
    onlyCumulative,
    'cumulative',
    'Only cumulative',
  ),
  histogramAggregation: setting(
    'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION',
    oneOf(['explicit_bucket_histogram', 'base2_exponential_bucket_histogram']),
    'explicit_bucket_histogram',
    'explicit_bucket_histogram, or base2_exponential_bucket_histogram for one native histogram instead of one series for each bucket',
  ),
} as const;

/** Every variable that the bridge reads, except those for traces. Durations are in seconds, those of OTEL_* in milliseconds. */
export const bridgeSettings = {
  ...ownSettings,
  ...heartbeatSettings,
  ...trainJobStatusSettings,
  ...otlpSettings('METRICS'),
} as const;

/** The whole configuration, checked and frozen. Durations are in milliseconds. */
export interface Config extends SettingValues<typeof ownSettings>, Destination {
  /** Undefined if tracing is off. */
  readonly traces: TraceConfig | undefined;
  /** Undefined if no heartbeats are sent. */
  readonly heartbeat: HeartbeatConfig | undefined;
  /** Undefined if no TrainJob status is posted. */
  readonly trainJobStatus: TrainJobStatusConfig | undefined;
}

/** All problems, and the settings that decide how the bridge reacts to them. */
export interface InvalidConfig extends Pick<Config, 'healthPort' | 'sidecarMode'> {
  readonly status: 'invalid';
  readonly problems: readonly Problem[];
  /** Whether the bridge waits for SIGTERM instead of exiting. */
  readonly idle: boolean;
}

export type ConfigResult =
  | { readonly status: 'ok'; readonly config: Config; readonly warnings: readonly string[] }
  | InvalidConfig;

/** Reads the environment and reports all problems at once. Never throws. */
export function readConfig(environment: Environment): ConfigResult {
  const read = readSettings(ownSettings, environment);
  const { onConfigError, healthPort, sidecarMode, sdkDisabled } = read.values;
  const metrics = readDestination('METRICS', environment);
  const traces = sdkDisabled
    ? ({ status: 'ok', config: undefined, warnings: [] } as const)
    : readTraceConfig(environment);
  const heartbeat = readHeartbeatConfig(environment);
  const trainJobStatus = readTrainJobStatusConfig(environment);
  if (
    read.status === 'invalid' ||
    metrics.status === 'invalid' ||
    traces.status === 'invalid' ||
    heartbeat.status === 'invalid' ||
    trainJobStatus.status === 'invalid'
  ) {
    const problems = [read, metrics, traces, heartbeat, trainJobStatus].flatMap((result) =>
      result.status === 'invalid' ? result.problems : [],
    );
    const idle = onConfigError === 'idle';
    return { status: 'invalid', problems: withoutRepetition(problems), idle, healthPort, sidecarMode };
  }
  const { rank, rankOffset } = read.values;
  const config: Config = {
    ...read.values,
    rank: rank === undefined ? undefined : rank + rankOffset,
    ...metrics.destination,
    traces: traces.config,
    heartbeat: heartbeat.config,
    trainJobStatus: trainJobStatus.config,
  };
  const warnings = [read, metrics, traces, trainJobStatus].flatMap((result) => result.warnings);
  return {
    status: 'ok',
    config: deepFreeze(config),
    warnings: [
      ...new Set([...warnings, ...proxyWarnings(environment, heartbeat.config ? 'heartbeat' : 'nothing')]),
    ],
  };
}

/** A variable that applies to all signals is read for each of them, so a problem with it is found twice. */
function withoutRepetition(problems: readonly Problem[]): readonly Problem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const part of Object.values(value)) deepFreeze(part);
    Object.freeze(value);
  }
  return value;
}

/** The configuration for the first log line, without secrets. */
export function printableConfig({
  traces,
  heartbeat,
  trainJobStatus,
  ...config
}: Config): Record<string, unknown> {
  return {
    ...printableValues(ownSettings, config),
    ...printableHeartbeat(heartbeat),
    ...printableTrainJobStatus(trainJobStatus),
    ...printableDestination(config),
    traces: traces && printableTraceConfig(traces),
  };
}
