import type { Resource } from '@opentelemetry/resources';
import { runAttributes } from '../catalogue.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Conditions } from '../log.ts';
import { type Backlog, type Collection, createBacklog } from '../otlp/backlog.ts';
import { exporterFactory } from '../otlp/exporter.ts';
import { createSender, type SendOutcome } from '../otlp/sender.ts';
import type { Run, Transition } from '../run/run.ts';
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
  const backlog = createBacklog(config.exportQueueSize);
  const self = createSelfTelemetry(resource, version, () => backlog.size);
  const sent = { success: 0, retry: 0, rejected: 0, dropped: 0 };
  const drop = (reason: string, count: number) => {
    sent.dropped += count;
    self.dropped(reason, count);
  };
  const sender = createSender({
    backlog,
    connect: exporterFactory(config, version),
    clock,
    maxRetryMs: Math.min(longestRetryMs, config.exportIntervalMs),
    onAttempt(outcome, collections) {
      sent[outcome.status] += 1;
      self.exported(outcome.status, clock().unixMs);
      if (outcome.status === 'rejected') drop('rejected', collections.length);
      reportAttempt(conditions, outcome, config, backlog);
    },
    onOverflow(count) {
      drop('queue_full', count);
      const details = { limit: config.exportQueueSize };
      conditions.holds(
        'queue_full',
        'error',
        details,
        'Export queue is full: the oldest snapshots are dropped',
      );
    },
  });

  const waitingAttributes = config.rank === undefined ? {} : { [runAttributes.rank]: config.rank };
  const newInstruments = () =>
    createRunInstruments(resource, config.histogramAggregation, version, waitingAttributes);
  let instruments: RunInstruments = newInstruments();

  async function collect(kind: Collection['kind']): Promise<void> {
    if (!exporting) return;
    const scopeMetrics = [...(await instruments.collect()), ...(await self.collect())];
    sender.send({ kind, metrics: { resource, scopeMetrics } });
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

function reportAttempt(conditions: Conditions, outcome: SendOutcome, config: Config, backlog: Backlog): void {
  const endpoint = config.endpoint.target;
  switch (outcome.status) {
    case 'success':
      conditions.isOver('retry', 'Collector is back', { endpoint });
      conditions.isOver('rejected', 'Collector accepts exports again', { endpoint });
      conditions.isOver('queue_full', 'Export queue has room again');
      return;
    case 'retry':
      return conditions.holds(
        'retry',
        'warn',
        { endpoint, reason: outcome.reason, waiting: backlog.size },
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
