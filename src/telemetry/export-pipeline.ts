import type { Resource } from '@opentelemetry/resources';
import { ConsoleMetricExporter, type ResourceMetrics } from '@opentelemetry/sdk-metrics';
import type { Clock } from '../common/clock.ts';
import type { Conditions } from '../common/logger.ts';
import type { Problem } from '../common/setting.ts';
import type { Config } from '../config/bridge.ts';
import { type Collection, encodeMetrics } from '../otlp/collection.ts';
import { createConnection, metricsMethod } from '../otlp/connection.ts';
import type { SendOutcome } from '../otlp/outcome.ts';
import { createSpill, type LostReason, type Spill } from '../otlp/queue/disk-queue.ts';
import { createBacklog, type Drop } from '../otlp/queue/memory-queue.ts';
import { createQueue } from '../otlp/queue/queue.ts';
import { createQueueFolder } from '../otlp/queue/queue-folder.ts';
import { createSender } from '../otlp/sender.ts';
import type { InternalMetrics } from './internal-metrics.ts';
import { createVolumeReport } from './volume-report.ts';

/** Where collections go, and what is counted and said of that. */
export interface Delivery {
  send(kind: Collection['kind'], metrics: ResourceMetrics): void;
  /** Sends what waits until the deadline, and says how many were left. */
  close(deadlineMonotonicMs: number): Promise<number>;
  readonly waiting: number;
  readonly sent: Sent;
}

export type Sent = Readonly<Record<SendOutcome['status'] | 'dropped', number>>;

export interface DeliveryOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly clock: Clock;
  readonly conditions: Conditions;
  readonly self: InternalMetrics;
}

/** Pause between attempts while the Collector is away: short enough that the newest is there within an export interval of its return. */
const longestRetryMs = 5_000;

export function createDelivery(options: DeliveryOptions): Delivery {
  const { config, version, clock, conditions, self } = options;
  const sent = { success: 0, retry: 0, rejected: 0, dropped: 0 };
  const drop = (reason: string, count: number) => {
    sent.dropped += count;
    self.dropped(reason, count);
  };
  const lose = (reason: DropReason) => {
    drop(reason, 1);
    const { limit, message } = losses[reason];
    conditions.raise(reason, 'error', { limit: config[limit] }, message);
  };
  const queue = createQueue({
    backlog: createBacklog({ collections: config.exportQueueSize, bytes: config.exportQueueBytes }),
    spill: openSpill(options, lose),
    onOverflow: (drops) => {
      for (const { reason } of drops) lose(reason);
    },
  });
  const attempted = (outcome: SendOutcome, collections: readonly Collection[]) => {
    sent[outcome.status] += 1;
    self.exported(outcome, clock().unixMs);
    if (outcome.status === 'rejected') drop('rejected', collections.length);
    reportAttempt(conditions, outcome, config, queue.size);
  };
  const sender = createSender({
    queue,
    connection: createConnection({
      ...config,
      method: metricsMethod,
      version,
      onCredentials: (problems) => reportCredentials(conditions, problems),
    }),
    clock,
    maxRetryMs: Math.min(longestRetryMs, config.exportIntervalMs),
    onAttempt: attempted,
  });
  const printer = config.metricsExporter === 'console' ? new ConsoleMetricExporter() : undefined;

  return {
    send(kind, metrics) {
      if (printer === undefined) sender.send({ kind, request: encodeMetrics(metrics) });
      else printer.export(metrics, () => attempted({ status: 'success' }, []));
    },
    close: (deadlineMonotonicMs) => sender.close(deadlineMonotonicMs),
    get waiting() {
      return queue.size;
    },
    sent,
  };
}

type DropReason = Drop['reason'] | LostReason;

/** What is said when snapshots are lost, and the limit or place that says more. */
const losses = {
  queue_full: {
    limit: 'exportQueueSize',
    message: 'Export queue is full: the oldest snapshots are dropped',
  },
  queue_bytes_full: {
    limit: 'exportQueueBytes',
    message: 'Export queue takes all the bytes it may: the oldest snapshots are dropped',
  },
  queue_dir_full: {
    limit: 'exportQueueDirBytes',
    message: 'Folder of the export queue takes all the bytes it may: the oldest snapshots are dropped',
  },
  queue_dir_failed: {
    limit: 'exportQueueDir',
    message: 'Snapshots in the folder of the export queue are not whole or cannot be read: they are skipped',
  },
} as const satisfies Record<DropReason, { limit: keyof Config; message: string }>;

function openSpill(
  { config, resource, clock, conditions, self }: DeliveryOptions,
  onLost: (reason: LostReason) => void,
): Spill | undefined {
  const { exportQueueDir: path, exportQueueDirBytes: maxBytes } = config;
  if (path === undefined || config.sdkDisabled || config.metricsExporter !== 'otlp') return undefined;
  for (const reason of ['queue_dir_full', 'queue_dir_failed']) self.dropped(reason, 0);
  return createSpill({
    folder: createQueueFolder(path, String(resource.attributes['service.instance.id'])),
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

function reportAttempt(conditions: Conditions, outcome: SendOutcome, config: Config, waiting: number): void {
  const endpoint = config.endpoint.target;
  switch (outcome.status) {
    case 'success':
      conditions.clearAll('retry', 'Collector is back', { endpoint });
      conditions.clear('rejected', 'Collector accepts exports again', { endpoint });
      for (const reason of ['queue_full', 'queue_bytes_full', 'queue_dir_full'])
        conditions.clear(reason, 'Export queue has room again');
      if (outcome.refused !== undefined)
        conditions.raise(
          'refused',
          'warn',
          { endpoint, ...outcome.refused },
          'Collector accepted an export but not all of its points; it may be the same with each',
        );
      return;
    case 'retry':
      // A cause that is known is worth a line also where an outage began with another.
      return conditions.raise(
        outcome.advice === undefined ? 'retry' : `retry: ${outcome.reason}`,
        'warn',
        { endpoint, reason: outcome.reason, advice: outcome.advice, waiting },
        'Collector cannot be reached: snapshots wait and are sent when it is back',
      );
    case 'rejected':
      return conditions.raise(
        'rejected',
        'error',
        { endpoint, reason: outcome.reason },
        'Collector refused an export: it is dropped',
      );
  }
}

function reportCredentials(conditions: Conditions, problems: readonly Problem[]): void {
  if (problems.length === 0) return conditions.clear('credentials', 'Credentials are read well again');
  const details = { problems: problems.map(({ message }) => message) };
  conditions.raise(
    'credentials',
    'error',
    details,
    'Credentials cannot be read: the last good ones stay in use',
  );
}
