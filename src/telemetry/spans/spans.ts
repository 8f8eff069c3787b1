import { type Context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, ConsoleSpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { runSpans } from '../../catalogue/spans.ts';
import type { Clock } from '../../common/clock.ts';
import type { Random } from '../../common/jitter.ts';
import type { Conditions, Logger } from '../../common/logger.ts';
import { settlesWithin } from '../../common/timing.ts';
import type { TraceConfig } from '../../config/traces.ts';
import { exportersOf } from '../../otlp/exporter.ts';
import { spansSignal } from '../../otlp/spans-signal.ts';
import type { PollTime, Transition } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { randomFlagProcessor } from '../../tracing/random-flag.ts';
import { createSampler } from '../../tracing/sampler.ts';
import { createIdGenerator, type IdSource, spanIdOf, traceIdOf } from './ids.ts';
import type { FinishedSpan, OpenRun } from './open-run.ts';
import { hasInvalidParent, parentOf } from './parent.ts';
import type { RunSpanStore } from './run-span-store.ts';
import { createSpanExporter, type QueuedSpanExporter } from './span-exporter.ts';
import { advanceTimeline, newTimeline, type SpanAction } from './timeline.ts';

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
  const ids = createIdGenerator();
  const provider = new TracerProvider({
    resource,
    idGenerator: ids,
    sampler: createSampler(config.sampler, String(resource.attributes['service.name']), (message) =>
      log.warn(message),
    ),
    spanProcessors: [
      randomFlagProcessor,
      new BatchSpanProcessor({
        exporter,
        maxQueueSize: config.queueSize,
        maxExportBatchSize: config.batchSize,
        scheduledDelayMillis: config.delayMs,
        exportTimeoutMillis: config.exportTimeoutMs,
      }),
    ],
  });
  const writer = createSpanWriter(provider.getTracer('ml-metrics-bridge', version), ids, config, log);
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
        provider.forceFlush().catch(() => undefined),
      );
      await exporter.close(deadlineMonotonicMs);
      if (store !== undefined) await settlesWithin(Math.max(left(), leastWriteMs), store.written());
    },
    get rejected() {
      return exporter.rejected;
    },
    get traceId() {
      return writer.traceId;
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

/** The span of the open run, and the context in which it is the parent. */
interface OpenSpan {
  readonly run: OpenRun;
  readonly span: Span;
  readonly context: Context;
}

/** Applies actions to the SDK's tracer. */
function createSpanWriter(tracer: Tracer, ids: IdSource, { parent }: TraceConfig, log: Logger) {
  let current: OpenSpan | undefined;
  let sampledTraceId: string | undefined;

  function begin(run: OpenRun): OpenSpan {
    const { key, startMs, identity } = run;
    const { source, context } = parentOf(parent, run.job);
    ids.setNext({ traceId: traceIdOf(key), spanId: spanIdOf(key) });
    const span = tracer.startSpan(
      runSpans.run.name,
      { startTime: new Date(startMs), attributes: identity },
      context,
    );
    const { traceId } = span.spanContext();
    if (span.isRecording()) sampledTraceId = traceId;
    log.info({ traceId, parent: source, sampled: span.isRecording() }, 'Run is traced');
    return { run, span, context: trace.setSpan(context, span) };
  }

  function writeChild(
    { key }: OpenRun,
    context: Context,
    name: string,
    id: readonly (string | number)[],
    finished: FinishedSpan,
  ) {
    ids.setNext({ traceId: traceIdOf(key), spanId: spanIdOf(key, ...id) });
    const span = tracer.startSpan(
      name,
      { startTime: new Date(finished.startMs), attributes: finished.attributes },
      context,
    );
    finish(span, finished);
  }

  function write(action: SpanAction): void {
    switch (action.kind) {
      case 'run_began': {
        current = begin(action.run);
        if (action.isTakenOver) return;
        const { startMs, identity, events } = action.run;
        const started = { startMs, endMs: startMs, attributes: identity, events };
        return writeChild(action.run, current.context, runSpans.started.name, ['started'], started);
      }
      case 'epoch_ended': {
        if (current === undefined) return;
        // Two bridges may each have observed a part of an epoch; the ids of the two parts differ.
        const id = ['epoch', action.epoch, ...(action.partial ? [action.span.startMs] : [])];
        return writeChild(current.run, current.context, runSpans.epoch.name, id, action.span);
      }
      case 'run_ended': {
        if (current === undefined) return;
        const { span } = current;
        current = undefined;
        span.setAttributes(action.span.attributes);
        if (action.outcome.status === 'error')
          span.setStatus({ code: SpanStatusCode.ERROR, message: action.outcome.message });
        return finish(span, action.span);
      }
    }
  }

  return {
    write,
    get traceId() {
      return sampledTraceId;
    },
  };
}

function finish(span: Span, { events, endMs }: FinishedSpan): void {
  for (const { name, attributes, timeMs } of events) span.addEvent(name, attributes, new Date(timeMs));
  span.end(new Date(endMs));
}
