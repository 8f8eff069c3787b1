import type { Resource } from '@opentelemetry/resources';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { type DropReason, dropReasons } from '../catalogue/outcomes.ts';
import type { Clock } from '../common/clock.ts';
import { type Random, spreadOf } from '../common/jitter.ts';
import { keysOf } from '../common/keys.ts';
import type { Conditions } from '../common/logger.ts';
import type { Config } from '../config/bridge.ts';
import type { ExportOutcome, RejectReason } from '../otlp/classify-response.ts';
import { type ExportRequest, maxRequestBytes } from '../otlp/export-request.ts';
import { exportersOf } from '../otlp/exporter.ts';
import { metricsRequest, metricsSignal } from '../otlp/metrics-signal.ts';
import type { LostReason } from '../otlp/queue/disk-files.ts';
import { createDiskQueue, type DiskQueue } from '../otlp/queue/disk-queue.ts';
import { metricsEncoding } from '../otlp/queue/encoding.ts';
import { createMemoryQueue } from '../otlp/queue/memory-queue.ts';
import { createQueue } from '../otlp/queue/queue.ts';
import { createQueueFolder } from '../otlp/queue/queue-folder.ts';
import type { SendIntervalOptions, Urgency } from '../otlp/send-interval.ts';
import { createSender } from '../otlp/sender.ts';
import { createConsolePrinter } from './console-printer.ts';
import { withEndedRun } from './ended-run.ts';
import type { InternalMetrics } from './internal-metrics.ts';
import { clearDropReasons, logCredentials, logOutcome, metricsMessages } from './log-exports.ts';
import { createVolumeReport } from './volume-report.ts';

/** Sends collected metrics to the Collector or prints them on the console; counts and logs the results. */
export interface ExportPipeline {
  /** A request that may wait is sent with those that follow within EXPORT_MIN_INTERVAL. */
  send(kind: ExportRequest['kind'], metrics: ResourceMetrics, urgency: Urgency): void;
  /** Sends one record of a log; it may wait. */
  sendRecord(metrics: ResourceMetrics): void;
  /** How many records were sent, and how many of them at least have left the queue, in this order. */
  readonly records: { readonly sent: number; readonly done: number };
  /** How many records can be sent until the queue is half full. */
  readonly room: number;
  /** Sends queued requests until the deadline; resolves to the number that were not delivered. */
  close(deadlineMonotonicMs: number): Promise<number>;
  /** Requests that the Collector has not accepted, without those that wait for EXPORT_MIN_INTERVAL. */
  readonly waiting: number;
  readonly sent: Sent;
}

export type Sent = Readonly<Record<ExportOutcome['status'] | 'dropped', number>>;

export interface ExportPipelineOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly conditions: Conditions;
  readonly internalMetrics: InternalMetrics;
  readonly onExport: (outcome: ExportOutcome) => void;
}

export function createExportPipeline(options: ExportPipelineOptions): ExportPipeline {
  const { config, version, clock, random, conditions, internalMetrics, onExport } = options;
  const sent = { success: 0, retry: 0, split: 0, rejected: 0, dropped: 0 };
  const drop = (reason: DropReason, count: number) => {
    sent.dropped += count;
    internalMetrics.dropped(reason, count);
  };
  const lose = (reason: LoggedDropReason) => {
    drop(reason, 1);
    const { setting, log } = dropReasons[reason];
    conditions.raise(reason, log.level, { limit: config[setting] }, log.message);
  };
  const queue = createQueue<MetricsRequest>({
    memory: createMemoryQueue({ requests: config.exportQueueSize, bytes: config.exportQueueBytes }),
    disk: openDiskQueue(options, lose),
    onOverflow: (drops) => {
      for (const { reason } of drops) lose(reason);
    },
  });
  const onExported = (outcome: ExportOutcome, requests: readonly MetricsRequest[]) => {
    sent[outcome.status] += 1;
    internalMetrics.exported(outcome, clock().unixMs);
    onExport(outcome);
    if (outcome.status === 'rejected') drop(outcome.dropReason, requests.length);
    if (outcome.status === 'success') clearDropReasons(conditions);
    const endpoint = config.endpoint.target;
    logOutcome(outcome, metricsMessages, { conditions, endpoint, waiting: sender.waiting });
  };
  const sender = createSender({
    queue,
    createExporter: exportersOf(metricsSignal, {
      ...config,
      version,
      onCredentials: (problems) => logCredentials(conditions, problems),
    }),
    canMerge: metricsSignal.canMerge,
    clock,
    // After an outage, the newest snapshot arrives within one export interval.
    maxRetryMs: spreadOf(config.exportIntervalMs),
    random,
    interval: sendInterval(config),
    onExported,
  });
  /** Of the largest record so far. */
  let recordBytes = 1;
  let recordsSent = 0;
  const print = config.metricsExporter === 'console' ? createConsolePrinter() : undefined;

  return {
    send(kind, metrics, urgency) {
      if (print === undefined) return sender.send(metricsRequest(kind, metrics), urgency);
      print(metrics);
      onExported({ status: 'success' }, []);
    },
    sendRecord(metrics) {
      recordsSent += 1;
      recordBytes = Math.max(recordBytes, metricsRequest('snapshot', metrics).bytes);
      this.send('snapshot', metrics, 'may_wait');
    },
    get records() {
      return { sent: recordsSent, done: Math.max(0, recordsSent - queue.size) };
    },
    get room() {
      const { exportQueueSize, exportQueueBytes } = config;
      const fitting = Math.floor(Math.min(exportQueueSize, exportQueueBytes / recordBytes) / 2);
      return Math.max(0, Math.max(1, fitting) - queue.size);
    },
    close: (deadlineMonotonicMs) => sender.close(deadlineMonotonicMs),
    get waiting() {
      return sender.waiting;
    },
    sent,
  };
}

type MetricsRequest = ExportRequest<ResourceMetrics>;

/** At most half of the queue is held back, so that nothing is dropped for it. */
function sendInterval({
  exportMinIntervalMs,
  exportQueueSize,
  exportQueueBytes,
  exportIntervalMs,
}: Config): Pick<SendIntervalOptions, 'intervalMs' | 'limits' | 'spreadMs'> {
  const limits = { requests: exportQueueSize / 2, bytes: Math.min(exportQueueBytes / 2, maxRequestBytes) };
  return { intervalMs: exportMinIntervalMs, limits, spreadMs: spreadOf(exportIntervalMs) };
}

/** The reasons with a log line in `dropReasons`. The line for a rejected request is in `sendOutcomes`. */
type LoggedDropReason = Exclude<DropReason, RejectReason>;

function openDiskQueue(
  { config, resource, clock, conditions, internalMetrics }: ExportPipelineOptions,
  onLost: (reason: LostReason) => void,
): DiskQueue<MetricsRequest> | undefined {
  const { exportQueueDir: path, exportQueueDirBytes: maxBytes } = config;
  if (path === undefined || config.sdkDisabled || config.metricsExporter !== 'otlp') return undefined;
  for (const reason of keysOf(dropReasons))
    if (dropReasons[reason].counted === 'with a disk queue') internalMetrics.dropped(reason, 0);
  return createDiskQueue({
    encoding: metricsEncoding,
    folder: createQueueFolder(path, String(resource.attributes['service.instance.id'])),
    asEnded: ({ kind, data }) => metricsRequest(kind, withEndedRun(data)),
    maxBytes,
    onLost,
    onFound: (count) =>
      conditions.raise(
        'found',
        'info',
        { path, count },
        'Snapshots of an earlier bridge wait in the queue folder',
      ),
    onWritten: createVolumeReport(path, clock, conditions),
  });
}
