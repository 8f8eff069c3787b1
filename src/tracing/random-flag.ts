import { type Context, type SpanContext, trace } from '@opentelemetry/api';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';

const randomFlag = 0b10;

/**
 * Gives a new span the random flag of its parent, which the SDK drops. The flag says that the trace id is random, and
 * "MUST be propagated unchanged" within the trace (W3C Trace Context Level 2, 3.2.2.5.2).
 */
export function keepRandomFlag(child: SpanContext, parent: Context): void {
  const { traceId, traceFlags = 0 } = trace.getSpanContext(parent) ?? {};
  if (child.traceId === traceId) child.traceFlags |= traceFlags & randomFlag;
}

/** The same for all recorded spans of an SDK. */
export const randomFlagProcessor: SpanProcessor = {
  onStart: (span, parent) => keepRandomFlag(span.spanContext(), parent),
  onEnd: () => undefined,
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
