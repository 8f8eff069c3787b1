import type { Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, ConsoleSpanExporter } from '@opentelemetry/sdk-trace';
import type { Clock } from '../../common/clock.ts';
import type { Random } from '../../common/jitter.ts';
import type { Conditions, Logger } from '../../common/logger.ts';
import { settlesWithin } from '../../common/timing.ts';
import type { TraceConfig } from '../../config/traces.ts';
import { exportersOf } from '../../otlp/exporter.ts';
import { spansSignal } from '../../otlp/spans-signal.ts';
import type { PollTime, Transition } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { hasInvalidParent } from './parent.ts';
import type { RunSpanStore } from './run-span-store.ts';
import { createSpanExporter, type QueuedSpanExporter } from './span-exporter.ts';
import { createSpanWriter } from './span-writer.ts';
import { advanceTimeline, newTimeline } from './timeline.ts';

/** Creates the spans of training runs and exports them. */
export interface Spans {
  /** Applies a transition of the run. Never throws: an error in tracing must not affect the metrics. */
  follow(transition: Transition, snapshot: Snapshot | undefined, now: PollTime): void;
  /** Sends the spans that are left, until the deadline. */
  close(deadlineMonotonicMs: number): Promise<void>;
  /** Spans that the Collector rejected so far. */
  readonly rejected: number;
  /** Of the last run that was sampled. */
  readonly traceId: string | undefined;
}

export interface SpansOptions {
  readonly config: TraceConfig;
  readonly resource: Resource;
  readonly version: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly conditions: Conditions;
  /** Undefined without EXPORT_QUEUE_DIR. */
  readonly store?: RunSpanStore | undefined;
}

/** The least time for the store at the end. It is taken from the time kept for ending the process. */
const leastWriteMs = 50;

export function createSpans(options: SpansOptions): Spans {
  const { config, resource, version, clock, log, store } = options;
  let isDisabled = false;
  const exporter = createExporter(options, () => {
    isDisabled = true;
  });
  if (hasInvalidParent(config.parent))
    log.warn(
      { traceparent: config.parent.TRACEPARENT?.slice(0, 100) },
      'TRACEPARENT is not a valid W3C traceparent and is ignored',
    );
  const processor = new BatchSpanProcessor({
    exporter,
    maxQueueSize: config.queueSize,
    maxExportBatchSize: config.batchSize,
    scheduledDelayMillis: config.delayMs,
    exportTimeoutMillis: config.exportTimeoutMs,
  });
  let traceId: string | undefined;
  const writer = createSpanWriter({
    config,
    resource,
    version,
    processor,
    warn: (message) => log.warn(message),
    onTraced(run) {
      if (run.sampled) traceId = run.traceId;
      log.info(run, 'Run is traced');
    },
  });
  let timeline = newTimeline({
    instanceId: String(resource.attributes['service.instance.id']),
    startedUnixMs: clock().unixMs,
    saved: store?.previous,
  });

  return {
    follow(transition, snapshot, now) {
      if (isDisabled) return;
      try {
        const next = advanceTimeline(timeline, transition, snapshot, now);
        timeline = next.timeline;
        for (const action of next.actions) {
          if (action.kind === 'run_began') store?.began(action.run.key);
          writer.write(action);
        }
      } catch (error) {
        isDisabled = true;
        log.error({ err: error }, 'Tracing failed and is turned off; metrics continue');
      }
    },
    async close(deadlineMonotonicMs) {
      const left = () => Math.max(0, deadlineMonotonicMs - clock().monotonicMs);
      await settlesWithin(
        left(),
        processor.forceFlush().catch(() => undefined),
      );
      await exporter.close(deadlineMonotonicMs);
      if (store !== undefined) await settlesWithin(Math.max(left(), leastWriteMs), store.written());
    },
    get rejected() {
      return exporter.rejected;
    },
    get traceId() {
      return traceId;
    },
  };
}

function createExporter(
  { config, version, clock, random, conditions, store }: SpansOptions,
  onUnsupported: () => void,
): QueuedSpanExporter {
  if (config.exporter === 'console')
    return Object.assign(new ConsoleSpanExporter(), { close: async () => 0, rejected: 0 });
  return createSpanExporter({
    createExporter: exportersOf(spansSignal, {
      ...config.destination,
      timeoutMs: Math.min(config.destination.timeoutMs, config.exportTimeoutMs),
      version,
    }),
    endpoint: config.destination.endpoint.target,
    queueSize: config.queueSize,
    clock,
    random,
    conditions,
    onAccepted: (spans) => store?.accepted(spans),
    onUnsupported,
  });
}
