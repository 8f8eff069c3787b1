import { type Context, type Span, SpanStatusCode, trace } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { runSpans } from '../../catalogue/spans.ts';
import type { TraceConfig } from '../../config/traces.ts';
import { randomFlagProcessor } from '../../tracing/random-flag.ts';
import { createSampler } from '../../tracing/sampler.ts';
import { createIdGenerator, spanIdOf, traceIdOf } from './ids.ts';
import type { FinishedSpan, OpenRun } from './open-run.ts';
import { type Parent, parentOf } from './parent.ts';
import type { SpanAction } from './timeline.ts';

/** A run whose span has begun. */
export interface TracedRun {
  readonly traceId: string;
  readonly parent: Parent['source'];
  /** Whether its spans are exported. */
  readonly sampled: boolean;
}

export interface SpanWriterOptions {
  readonly config: Pick<TraceConfig, 'parent' | 'sampler'>;
  readonly resource: Resource;
  readonly version: string;
  /** Is given each sampled span when it ends. */
  readonly processor: SpanProcessor;
  readonly warn: (message: string) => void;
  readonly onTraced: (run: TracedRun) => void;
}

/** The span of the open run, and the context in which it is the parent. */
interface OpenSpan {
  readonly run: OpenRun;
  readonly span: Span;
  readonly context: Context;
}

/** Makes the SDK's spans of the actions of a timeline. */
export function createSpanWriter(options: SpanWriterOptions): { write(action: SpanAction): void } {
  const { config, resource, version, processor, warn, onTraced } = options;
  const ids = createIdGenerator();
  const provider = new TracerProvider({
    resource,
    idGenerator: ids,
    sampler: createSampler(config.sampler, String(resource.attributes['service.name']), warn),
    spanProcessors: [randomFlagProcessor, processor],
  });
  const tracer = provider.getTracer('ml-metrics-bridge', version);
  let current: OpenSpan | undefined;

  function begin(run: OpenRun): OpenSpan {
    const { key, startMs, identity } = run;
    const { source, context } = parentOf(config.parent, run.job);
    ids.setNext({ traceId: traceIdOf(key), spanId: spanIdOf(key) });
    const span = tracer.startSpan(
      runSpans.run.name,
      { startTime: new Date(startMs), attributes: identity },
      context,
    );
    const { traceId } = span.spanContext();
    onTraced({ traceId, parent: source, sampled: span.isRecording() });
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

  return { write };
}

function finish(span: Span, { events, endMs }: FinishedSpan): void {
  for (const { name, attributes, timeMs } of events) span.addEvent(name, attributes, new Date(timeMs));
  span.end(new Date(endMs));
}
