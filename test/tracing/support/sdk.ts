import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { onTestFinished } from 'vitest';

export interface TestSdk {
  /** Spans that have ended, in that order. */
  spans(): readonly ReadableSpan[];
  /** The only span that has ended. */
  only(): ReadableSpan;
}

export interface TestSdkOptions {
  readonly sampler?: Sampler;
  readonly processors?: readonly SpanProcessor[];
}

/** A real SDK for this process until the test is over. */
export function startSdk({ sampler, processors = [] }: TestSdkOptions = {}): TestSdk {
  const exporter = new InMemorySpanExporter();
  trace.setGlobalTracerProvider(
    new TracerProvider({
      ...(sampler === undefined ? {} : { sampler }),
      spanProcessors: [new SimpleSpanProcessor({ exporter }), ...processors],
    }),
  );
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  onTestFinished(() => {
    trace.disable();
    context.disable();
  });
  const spans = () => exporter.getFinishedSpans();
  return {
    spans,
    only: () => {
      const [span, ...others] = spans();
      if (span === undefined || others.length > 0)
        throw new Error(`${spans().length} spans have ended, not 1`);
      return span;
    },
  };
}
