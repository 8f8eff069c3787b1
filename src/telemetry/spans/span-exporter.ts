import { ExportResultCode } from '@opentelemetry/core';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { Clock } from '../../common/clock.ts';
import type { Conditions } from '../../common/logger.ts';
import type { Connection } from '../../otlp/connection.ts';
import { Status } from '../../otlp/grpc.ts';
import type { SendOutcome } from '../../otlp/outcome.ts';
import { createBacklog } from '../../otlp/queue/memory-queue.ts';
import { createQueue } from '../../otlp/queue/queue.ts';
import { createSender } from '../../otlp/sender.ts';

export interface SpanExporterOptions {
  readonly connection: Connection;
  /** For messages. */
  readonly endpoint: string;
  /** How many requests may wait. */
  readonly queueSize: number;
  readonly clock: Clock;
  readonly conditions: Conditions;
  /** Called when the Collector turns out to take no traces. */
  readonly onUnsupported: () => void;
}

export interface ClosableSpanExporter extends SpanExporter {
  /** Sends what waits until the deadline, and says how many requests were left. */
  close(deadlineMonotonicMs: number): Promise<number>;
}

/** A few spans an epoch: this is thousands of them. */
const mostBytes = 4 * 2 ** 20;
const longestRetryMs = 5_000;

/** Sends spans as metrics are sent: what cannot leave now waits, bounded, and leaves when the Collector is back. */
export function createSpanExporter(options: SpanExporterOptions): ClosableSpanExporter {
  const { connection, queueSize, clock, conditions, endpoint } = options;
  const queue = createQueue({
    backlog: createBacklog({ collections: queueSize, bytes: mostBytes }),
    spill: undefined,
    onOverflow: () =>
      conditions.raise('spans full', 'error', { endpoint }, 'Too many spans wait: the oldest are dropped'),
  });
  const sender = createSender({
    queue,
    connection,
    clock,
    maxRetryMs: longestRetryMs,
    onAttempt(outcome) {
      if (outcome.status === 'rejected' && outcome.code === Status.UNIMPLEMENTED) {
        conditions.raise(
          'no traces',
          'warn',
          { endpoint },
          'Collector takes no traces: tracing is off until the bridge is started anew',
        );
        options.onUnsupported();
      } else report(conditions, outcome, endpoint, queue.size);
    },
  });
  return {
    export(spans, done) {
      const request = ProtobufTraceSerializer.serializeRequest(spans);
      if (request !== undefined) sender.send({ kind: 'snapshot', request });
      done({ code: ExportResultCode.SUCCESS });
    },
    close: (deadlineMonotonicMs) => sender.close(deadlineMonotonicMs),
    shutdown: async () => undefined,
  };
}

function report(conditions: Conditions, outcome: SendOutcome, endpoint: string, waiting: number): void {
  switch (outcome.status) {
    case 'success':
      conditions.clear('spans retry', 'Collector takes spans again', { endpoint });
      conditions.clear('spans rejected', 'Collector accepts spans again', { endpoint });
      conditions.clear('spans full', 'There is room for spans again');
      return;
    case 'retry': {
      const { reason, advice } = outcome;
      return conditions.raise(
        'spans retry',
        'warn',
        { endpoint, reason, advice, waiting },
        'Collector cannot be reached: spans wait and are sent when it is back',
      );
    }
    case 'rejected':
      return conditions.raise(
        'spans rejected',
        'error',
        { endpoint, reason: outcome.reason },
        'Collector refused spans: they are dropped',
      );
  }
}
