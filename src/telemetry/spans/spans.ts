import { type Context, type Span, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { BatchSpanProcessor, ConsoleSpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import { runSpans } from '../../catalogue/spans.ts';
import type { Clock } from '../../common/clock.ts';
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
import { createSpanExporter, type QueuedSpanExporter } from './span-exporter.ts';
import { advanceTimeline, newTimeline, type SpanAction } from './timeline.ts';

/** From runs to spans, and on their way. */
export interface Spans {
  /** Follows a transition of the run, as the metrics do. Never throws: a trace is not worth a metric. */
  follow(transition: Transition, snapshot: Snapshot | undefined, now: PollTime): void;
  /** Sends what is left until the deadline. */
  close(deadlineMonotonicMs: number): Promise<void>;
  /** Spans that the Collector rejected so far. */
  readonly rejected: number;
}

export interface SpansOptions {
  readonly config: TraceConfig;
  readonly resource: Resource;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly conditions: Conditions;
}

export function createSpans(options: SpansOptions): Spans {
  const { config, resource, version, clock, log } = options;
  let off = false;
  const exporter = exporterFor(options, () => {
    off = true;
  });
  if (hasInvalidParent(config.parent))
    log.warn(
      { traceparent: config.parent.TRACEPARENT?.slice(0, 100) },
      'TRACEPARENT is no W3C traceparent: it is ignored',
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
  const teller = createSpanWriter(provider.getTracer('ml-metrics-bridge', version), ids, config, log);
  let timeline = newTimeline(String(resource.attributes['service.instance.id']));

  return {
    follow(transition, snapshot, now) {
      if (off) return;
      try {
        const next = advanceTimeline(timeline, transition, snapshot, now);
        timeline = next.timeline;
        for (const step of next.steps) teller(step);
      } catch (error) {
        off = true;
        log.error({ err: error }, 'An error in tracing: it is off from here on, metrics go on');
      }
    },
    async close(deadlineMonotonicMs) {
      const left = Math.max(0, deadlineMonotonicMs - clock().monotonicMs);
      await settlesWithin(
        left,
        provider.forceFlush().catch(() => undefined),
      );
      await exporter.close(deadlineMonotonicMs);
    },
    get rejected() {
      return exporter.rejected;
    },
  };
}

function exporterFor(
  { config, version, clock, conditions }: SpansOptions,
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
    conditions,
    onUnsupported,
  });
}

/** A run that is under way, as a span and as the parent of others. */
interface Current {
  readonly run: OpenRun;
  readonly span: Span;
  readonly context: Context;
}

/** Tells the SDK what happened. */
function createSpanWriter(tracer: Tracer, ids: IdSource, { parent }: TraceConfig, log: Logger) {
  let current: Current | undefined;

  function begin(run: OpenRun): Current {
    const { key, startMs, identity } = run;
    const { source, context } = parentOf(parent, run.job);
    ids.next({ traceId: traceIdOf(key), spanId: spanIdOf(key) });
    const span = tracer.startSpan(
      runSpans.run.name,
      { startTime: new Date(startMs), attributes: identity },
      context,
    );
    const { traceId } = span.spanContext();
    log.info({ traceId, parent: source, sampled: span.isRecording() }, 'Run is traced');
    return { run, span, context: trace.setSpan(context, span) };
  }

  function tell(
    { key }: OpenRun,
    context: Context,
    name: string,
    id: readonly (string | number)[],
    it: FinishedSpan,
  ) {
    ids.next({ traceId: traceIdOf(key), spanId: spanIdOf(key, ...id) });
    const span = tracer.startSpan(
      name,
      { startTime: new Date(it.startMs), attributes: it.attributes },
      context,
    );
    finish(span, it);
  }

  return (step: SpanAction): void => {
    switch (step.kind) {
      case 'run_began': {
        current = begin(step.run);
        const { startMs, identity, events } = step.run;
        const started = { startMs, endMs: startMs, attributes: identity, events };
        return tell(step.run, current.context, runSpans.started.name, ['started'], started);
      }
      case 'epoch_ended': {
        if (current === undefined) return;
        // Of an epoch that two bridges saw a part of each, neither part replaces the other.
        const id = ['epoch', step.epoch, ...(step.partial ? [step.span.startMs] : [])];
        return tell(current.run, current.context, runSpans.epoch.name, id, step.span);
      }
      case 'run_ended': {
        if (current === undefined) return;
        const { span } = current;
        current = undefined;
        span.setAttributes(step.span.attributes);
        if (step.verdict.status === 'error')
          span.setStatus({ code: SpanStatusCode.ERROR, message: step.verdict.message });
        return finish(span, step.span);
      }
    }
  };
}

function finish(span: Span, { events, endMs }: FinishedSpan): void {
  for (const { name, attributes, timeMs } of events) span.addEvent(name, attributes, new Date(timeMs));
  span.end(new Date(endMs));
}
