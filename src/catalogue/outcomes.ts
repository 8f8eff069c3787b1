import type { Level } from '../common/logger.ts';

/**
 * Every value of the labels `outcome` and `reason` of the bridge's own metrics, as data. The log lines, the series that
 * begin at zero, the types and the documentation's tables come from these tables.
 */

interface LabelValue {
  /** For documentation: what happened. */
  readonly description: string;
  /** Logged once when it begins. */
  readonly log?: { readonly level: Level; readonly message: string };
  /** Logged once when it ends. */
  readonly over?: string;
}

/** The result of one poll of the metrics file: `outcome` of `ml.bridge.snapshots`. */
export const pollOutcomes = {
  ok: { description: 'A new snapshot was read' },
  unchanged: { description: 'The file has not changed since the last poll' },
  missing: {
    description: 'There is no file at the path',
    log: { level: 'debug', message: 'Metrics file does not exist yet' },
  },
  empty: {
    description: 'The file has no content',
    log: { level: 'warn', message: 'Metrics file is empty' },
  },
  malformed: {
    description: 'The content cannot be parsed, also after a second attempt',
    log: { level: 'error', message: 'Metrics file is malformed' },
  },
  no_metrics: {
    description:
      'The file has no number in `training_metrics` and no other field that is known, such as `status`',
    log: { level: 'warn', message: 'Metrics file holds no metrics' },
  },
  too_large: {
    description: 'The file is larger than 1 MiB and is not read',
    log: { level: 'error', message: 'Metrics file is too large' },
  },
  not_a_file: {
    description: 'The path is a folder, a FIFO, a socket or a device',
    log: { level: 'error', message: 'Metrics file is not a regular file' },
  },
  unreadable: {
    description: 'The bridge lacks the permission to read the file',
    log: { level: 'error', message: 'Permission denied reading metrics file' },
  },
  failed: {
    description: 'Reading the file failed with another error',
    log: { level: 'error', message: 'Metrics file cannot be read' },
  },
  hung: {
    description: 'The read has not returned within 5 seconds',
    log: { level: 'error', message: 'Reading the metrics file hangs; the volume may not answer' },
  },
} as const satisfies Readonly<Record<string, LabelValue>>;

export type PollOutcomeName = keyof typeof pollOutcomes;

/** The outcomes of a poll that found no usable file. */
export type PollFailure = Exclude<PollOutcomeName, 'ok' | 'unchanged'>;

/** The result of one export request: `outcome` of `ml.bridge.exports`. */
export const sendOutcomes = {
  success: { description: 'The Collector accepted the request' },
  retry: {
    description: 'The request failed and is sent again later',
    log: {
      level: 'warn',
      message: 'Collector cannot be reached: snapshots wait and are sent when it is back',
    },
    over: 'Collector is back',
  },
  split: {
    description:
      'The Collector rejected a request of several snapshots; they are sent again in smaller requests',
  },
  rejected: {
    description:
      'The Collector rejected the request with an error that is not retryable; its snapshots are dropped',
    log: { level: 'error', message: 'Collector rejected an export: its snapshots are dropped' },
    over: 'Collector accepts exports again',
  },
} as const satisfies Readonly<Record<string, LabelValue>>;

/** Why an export is retried later, with the log line of each reason. */
export const retryCauses = {
  no_answer: { description: 'There was no answer', log: sendOutcomes.retry.log },
  later: {
    description: 'The Collector, or the backend behind it, cannot accept it now',
    log: {
      level: 'warn',
      message: 'Collector answers that it cannot accept data now: it is sent again until it is accepted',
    },
  },
  no_credentials: {
    description: 'The files of headers or certificates could never be read',
    log: { level: 'error', message: 'Credentials cannot be read: nothing is sent until they can' },
  },
  credentials: {
    description: 'The headers or the certificate were rejected; they come from files, which may be renewed',
    log: {
      level: 'error',
      message: 'Collector refuses the credentials: data waits until the files are renewed',
    },
  },
  not_grpc: {
    description: 'The answer did not come from an OTLP/gRPC receiver',
    log: {
      level: 'error',
      message: 'Endpoint answers, but not as an OTLP/gRPC receiver: data waits until it does',
    },
  },
} as const satisfies Readonly<Record<string, LabelValue>>;

/** A reason with a log line names what is logged with it. */
type DropReasonRow = LabelValue & {
  /** Whether its series begins at zero always, or only if snapshots are queued on disk. */
  readonly counted: 'always' | 'with a disk queue';
} & (
    | { readonly log?: never; readonly setting?: never }
    | {
        readonly log: NonNullable<LabelValue['log']>;
        /** Key in `Config` of the limit or folder that is logged. */
        readonly setting: string;
      }
  );

/** Why snapshots were never delivered: `reason` of `ml.bridge.dropped`. */
export const dropReasons = {
  queue_full: {
    description: 'More than `EXPORT_QUEUE_SIZE` snapshots were queued; the oldest are dropped',
    counted: 'always',
    setting: 'exportQueueSize',
    log: { level: 'error', message: 'Export queue is full: the oldest snapshots are dropped' },
    over: 'Export queue has room again',
  },
  queue_bytes_full: {
    description: 'The queued snapshots took more than `EXPORT_QUEUE_BYTES`; the oldest are dropped',
    counted: 'always',
    setting: 'exportQueueBytes',
    log: {
      level: 'error',
      message: 'Export queue has reached EXPORT_QUEUE_BYTES: the oldest snapshots are dropped',
    },
    over: 'Export queue has room again',
  },
  rejected: {
    description: 'The Collector rejected the request that contained them',
    counted: 'always',
  },
  too_large: {
    description: 'The Collector, a gateway or the backend rejected the snapshot because of its size',
    counted: 'always',
  },
  queue_dir_full: {
    description: 'The files in `EXPORT_QUEUE_DIR` took more than their limit; the oldest are deleted',
    counted: 'with a disk queue',
    setting: 'exportQueueDirBytes',
    log: {
      level: 'error',
      message: 'Folder of the export queue has reached its limit: the oldest snapshots are dropped',
    },
    over: 'Export queue has room again',
  },
  queue_dir_failed: {
    description: 'A file in `EXPORT_QUEUE_DIR` could not be written or read, or was not complete',
    counted: 'with a disk queue',
    setting: 'exportQueueDir',
    log: {
      level: 'error',
      message:
        'Snapshots in the folder of the export queue are incomplete or cannot be read: they are dropped',
    },
  },
} as const satisfies Readonly<Record<string, DropReasonRow>>;

export type DropReason = keyof typeof dropReasons;

/** Why a field of the metrics file was skipped: `reason` of `ml.bridge.fields_skipped`. */
export const skipReasons = {
  null: { description: 'The value is null' },
  wrong_type: { description: 'The value has another type than the field' },
  out_of_range: { description: 'The value is outside the range of the field' },
  not_a_time: { description: 'The value is not a time in ISO 8601, or seconds since 1970' },
  too_long: { description: 'The text is longer than 256 characters' },
  invalid_name: { description: 'The name cannot be the name of a metric' },
  name_taken: { description: 'Another metric already has the name in Prometheus' },
  too_many: { description: 'There are more extra metrics than `MAX_EXTRA_METRICS`' },
} as const satisfies Readonly<Record<string, LabelValue>>;

export type SkipReason = keyof typeof skipReasons;
