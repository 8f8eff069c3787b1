import { status } from '@grpc/grpc-js';
import { ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { retryCauses } from '../../catalogue/outcomes.ts';
import type { Clock } from '../../common/clock.ts';
import type { Random } from '../../common/jitter.ts';
import type { Conditions } from '../../common/logger.ts';
import type { ExportOutcome } from '../../otlp/classify-response.ts';
import type { ExportRequest } from '../../otlp/export-request.ts';
import type { Exporter } from '../../otlp/exporter.ts';
import { createMemoryQueue } from '../../otlp/queue/memory-queue.ts';
import { createQueue } from '../../otlp/queue/queue.ts';
import { createSender } from '../../otlp/sender.ts';
import { spansRequest, spansSignal } from '../../otlp/spans-signal.ts';
import { type ExportMessages, logOutcome } from '../log-exports.ts';

export interface SpanExporterOptions {
  readonly createExporter: () => Exporter<ReadableSpan[]>;
  /** For messages. */
  readonly endpoint: string;
  /** Maximum number of requests in the queue. */
  readonly queueSize: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly conditions: Conditions;
  readonly onAccepted: (spans: readonly ReadableSpan[]) => void;
  /** Called when the Collector answers that it does not accept traces. */
  readonly onUnsupported: () => void;
}

export interface QueuedSpanExporter extends SpanExporter {
  /** Sends the queue until the deadline. Returns the number of requests that are left. */
  close(deadlineMonotonicMs: number): Promise<number>;
  /** Spans that the Collector rejected so far. */
  readonly rejected: number;
}

/** Room for thousands of spans; a run has a few in each epoch. */
const maxBytes = 4 * 2 ** 20;
const longestRetryMs = 5_000;

/** Sends spans in the same way as metrics: spans that cannot be sent wait in a bounded queue until the Collector is back. */
export function createSpanExporter(options: SpanExporterOptions): QueuedSpanExporter {
  const { createExporter, queueSize, clock, random, conditions, endpoint } = options;
  let rejected = 0;
  const queue = createQueue<ExportRequest<ReadableSpan[]>>({
    memory: createMemoryQueue({ requests: queueSize, bytes: maxBytes }),
    onOverflow: () =>
      conditions.raise(
        'spans full',
        'error',
        { endpoint },
        'Span queue is full: the oldest spans are dropped',
      ),
  });
  const sender = createSender({
    queue,
    createExporter,
    canMerge: spansSignal.canMerge,
    clock,
    maxRetryMs: longestRetryMs,
    random,
    onExported(outcome, requests) {
      rejected += countRejected(outcome, requests);
      if (outcome.status === 'success') {
        conditions.clear('spans full', 'Span queue has room again');
        options.onAccepted(requests.flatMap(({ data }) => data));
      }
      if (outcome.status === 'rejected' && outcome.code === status.UNIMPLEMENTED) {
        conditions.raise(
          'no traces',
          'warn',
          { endpoint },
          'Collector does not accept traces: tracing is off until the bridge restarts',
        );
        options.onUnsupported();
      } else logOutcome(outcome, messages, { conditions, endpoint, waiting: queue.size });
    },
  });
  return {
    export(spans, done) {
      sender.send(spansRequest(spans));
      done({ code: ExportResultCode.SUCCESS });
    },
    close: (deadlineMonotonicMs) => sender.close(deadlineMonotonicMs),
    shutdown: async () => undefined,
    get rejected() {
      return rejected;
    },
  };
}

const messages: ExportMessages = {
  prefix: 'spans ',
  noun: 'spans',
  retry(cause) {
    const { level, message } = retryCauses[cause].log;
    return cause === 'no_answer'
      ? { level, message: 'Collector cannot be reached: spans wait and are sent when it is back' }
      : { level, message: `${message}; spans wait` };
  },
  retryOver: 'Collector accepts spans again after an outage',
  rejected: { level: 'error', message: 'Collector rejected spans: they are dropped' },
  rejectedOver: 'Collector accepts spans again',
};

function countRejected(outcome: ExportOutcome, requests: readonly ExportRequest<ReadableSpan[]>[]): number {
  if (outcome.status === 'success') return outcome.partialSuccess?.rejected ?? 0;
  return outcome.status === 'rejected' ? requests.reduce((sum, { data }) => sum + data.length, 0) : 0;
}
