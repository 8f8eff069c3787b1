import type { Resource } from '@opentelemetry/resources';
import { ConsoleMetricExporter } from '@opentelemetry/sdk-metrics';
import { runAttributes } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Conditions } from '../log.ts';
import { type Backlog, createBacklog, type Drop } from '../otlp/backlog.ts';
import { type Collection, encodeMetrics } from '../otlp/collection.ts';
import { createConnection, metricsMethod } from '../otlp/connection.ts';
import type { SendOutcome } from '../otlp/outcome.ts';
import { createSender } from '../otlp/sender.ts';
import type { Run, Transition } from '../run/run.ts';
import type { Problem } from '../settings.ts';
import type { Poll } from '../snapshot/poll.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { createRunInstruments, type RunInstruments } from './instruments.ts';
import { createSelfTelemetry, type SelfTelemetry } from './self.ts';

/** From runs to OpenTelemetry, and on its way to the Collector. */
export interface Telemetry {
  polled(poll: Poll): void;
  /** Follows a transition of the run; `snapshot` is the one that made it, if one did. */
  follow(transition: Transition, snapshot: Snapshot | undefined): Promise<void>;
  /** Collects everything and hands it to the sender; does not wait for it to be sent. */
  collect(kind: Collection['kind']): Promise<void>;
  /** Sends what waits until the deadline, and says how many snapshots were left. */
  close(deadlineUptimeMs: number): Promise<number>;
  readonly sent: Readonly<Record<SendOutcome['status'] | 'dropped', number>>;
}

export interface TelemetryOptions {
  readonly config: Config;
  readonly resource: Resource;
  readonly version: string;
  readonly clock: Clock;
  readonly conditions: Conditions;
}

/** Pause between attempts while the Collector is away: short enough that the newest is there within an export interval of its return. */
const longestRetryMs = 5_000;

export function createTelemetry({
  config,
  resource,
  version,
  clock,
  conditions,
}: TelemetryOptions): Telemetry {
  const exporting = !config.sdkDisabled && config.metricsExporter !== 'none';
  const backlog = createBacklog({
    collections: config.exportQueueSize,
    bytes: config.exportQueueBytes,
  });
  const self = createSelfTelemetry(resource, version, () => backlog.size);
  const sent = { success: 0, retry: 0, rejected: 0, dropped: 0 };
  const drop = (reason: string, count: number) => {
    sent.dropped += count;
    self.dropped(reason, count);
  };
  const attempted = (outcome: SendOutcome, collections: readonly Collection[]) => {
    sent[outcome.status] += 1;
    self.exported(outcome, clock().unixMs);
    if (outcome.status === 'rejected') drop('rejected', collections.length);
    reportAttempt(conditions, outcome, config, backlog);
  };
  const sender = createSender({
    backlog,
    connection: createConnection({
      ...config,
      method: metricsMethod,
      version,
      onCredentials: (problems) => reportCredentials(conditions, problems),
    }),
    clock,
    maxRetryMs: Math.min(longestRetryMs, config.exportIntervalMs),
    onAttempt: attempted,
    onOverflow(drops) {
      for (const { reason } of drops) {
        drop(reason, 1);
        const { limit, message } = overflows[reason];
        conditions.holds(reason, 'error', { limit: config[limit] }, message);
      }
    },
  });
  const printer = config.metricsExporter === 'console' ? new ConsoleMetricExporter() : undefined;

  const waitingAttributes = config.rank === undefined ? {} : { [runAttributes.rank]: config.rank };
  const newInstruments = () =>
    createRunInstruments(resource, config.histogramAggregation, version, waitingAttributes);
  let instruments: RunInstruments = newInstruments();

  async function collect(kind: Collection['kind']): Promise<void> {
    if (!exporting) return;
    const scopeMetrics = [...(await instruments.collect()), ...(await self.collect())];
    const metrics = { resource, scopeMetrics };
    if (printer === undefined) sender.send({ kind, request: encodeMetrics(metrics) });
    else printer.export(metrics, () => attempted({ status: 'success' }, []));
  }

  return {
    polled: ({ outcome, fileAgeMs }) => self.polled(outcome.status, fileAgeMs),
    async follow({ run, happenings }, snapshot) {
      for (const happening of happenings) {
        if (happening.kind === 'run_ended' && happening.reason === 'replaced') {
          instruments.show(happening.run);
          await collect('snapshot');
        }
        if (happening.kind === 'run_began') instruments = newInstruments();
        if (happening.kind === 'extras_refused') self.skipped('extra', 'too_many', happening.names.length);
      }
      instruments.show(run);
      if (snapshot === undefined) return;
      countSkipped(self, snapshot);
      if (isOf(run, snapshot)) instruments.record(snapshot);
    },
    collect,
    close: (deadlineUptimeMs) => sender.close(deadlineUptimeMs),
    sent,
  };
}

/** A snapshot of a second writer is not the run's. */
const isOf = (run: Run | undefined, snapshot: Snapshot) => run?.latest === snapshot;

/** Known fields by name; the names of others are too many to be label values. */
function countSkipped(self: SelfTelemetry, { skipped }: Snapshot): void {
  for (const { field, known, reason } of skipped) self.skipped(known ? field : 'extra', reason);
}

/** What is said when the oldest have to go, by the limit that is met. */
const overflows = {
  queue_full: {
    limit: 'exportQueueSize',
    message: 'Export queue is full: the oldest snapshots are dropped',
  },
  queue_bytes_full: {
    limit: 'exportQueueBytes',
    message: 'Export queue takes all the bytes it may: the oldest snapshots are dropped',
  },
} as const satisfies Record<Drop['reason'], { limit: keyof Config; message: string }>;

function reportAttempt(conditions: Conditions, outcome: SendOutcome, config: Config, backlog: Backlog): void {
  const endpoint = config.endpoint.target;
  switch (outcome.status) {
    case 'success':
      conditions.areOver('retry', 'Collector is back', { endpoint });
      conditions.isOver('rejected', 'Collector accepts exports again', { endpoint });
      for (const reason of ['queue_full', 'queue_bytes_full'])
        conditions.isOver(reason, 'Export queue has room again');
      if (outcome.refused !== undefined)
        conditions.holds(
          'refused',
          'warn',
          { endpoint, ...outcome.refused },
          'Collector accepted an export but not all of its points; it may be the same with each',
        );
      return;
    case 'retry':
      // A cause that is known is worth a line also where an outage began with another.
      return conditions.holds(
        outcome.advice === undefined ? 'retry' : `retry: ${outcome.reason}`,
        'warn',
        { endpoint, reason: outcome.reason, advice: outcome.advice, waiting: backlog.size },
        'Collector cannot be reached: snapshots wait and are sent when it is back',
      );
    case 'rejected':
      return conditions.holds(
        'rejected',
        'error',
        { endpoint, reason: outcome.reason },
        'Collector refused an export: it is dropped',
      );
  }
}

function reportCredentials(conditions: Conditions, problems: readonly Problem[]): void {
  if (problems.length === 0) return conditions.isOver('credentials', 'Credentials are read well again');
  const details = { problems: problems.map(({ message }) => message) };
  conditions.holds(
    'credentials',
    'error',
    details,
    'Credentials cannot be read: the last good ones stay in use',
  );
}
