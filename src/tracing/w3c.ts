import {
  type Context,
  defaultTextMapSetter,
  diag,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { TraceState, W3CTraceContextPropagator } from '@opentelemetry/core';

/** The two headers of W3C Trace Context, independent of the carrier. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string;
}

// Not the global propagator: an application may have set a composite one, which would also write baggage into pods,
// where everyone who may read pods can read it.
const propagator = new W3CTraceContextPropagator();

/** The headers of the context's span; undefined without a valid span. */
export function injectTraceHeaders(from: Context): TraceHeaders | undefined {
  const spanContext = trace.getSpanContext(from);
  if (spanContext === undefined) return undefined;
  const carrier: Record<string, string> = {};
  propagator.inject(trace.setSpanContext(from, withKnownFlags(spanContext)), carrier, defaultTextMapSetter);
  const { traceparent, tracestate } = carrier;
  // The propagator writes ids in upper case, which the specification forbids and which it would not read itself.
  if (traceparent === undefined || extractFrom(ROOT_CONTEXT, carrier) === ROOT_CONTEXT) return undefined;
  return tracestate ? { traceparent, tracestate } : { traceparent };
}

/**
 * The context with the span of the headers as its parent; the context itself if traceparent is missing or invalid.
 * An invalid tracestate is ignored as a whole, with a line to the API's diagnostics: it "MUST NOT affect the parsing of
 * traceparent" (W3C Trace Context Level 2, 3.3), and the propagator alone would drop single members silently.
 */
export function extractTraceHeaders(into: Context, traceparent: unknown, tracestate: unknown): Context {
  if (typeof traceparent !== 'string') return into;
  const carrier: Record<string, string> = { traceparent: traceparent.trim() };
  const problem = problemOfTraceState(tracestate);
  if (typeof tracestate === 'string' && problem === undefined) carrier.tracestate = tracestate;
  const context = extractFrom(into, carrier);
  const spanContext = context === into ? undefined : trace.getSpanContext(context);
  if (spanContext === undefined) return into;
  if (problem !== undefined)
    diag.warn(`ml-metrics-bridge: tracestate ${problem}; it is ignored, and traceparent is used without it`);
  return trace.setSpanContext(into, withKnownFlags(spanContext, true));
}

const getter: TextMapGetter<Record<string, string>> = {
  get: (carrier, key) => carrier[key],
  keys: (carrier) => Object.keys(carrier),
};

const extractFrom = (into: Context, carrier: Record<string, string>) =>
  propagator.extract(into, carrier, getter);

/**
 * Sampled and random are the flags that have a meaning. Others "MUST be set to zero" (W3C Trace Context Level 2,
 * 3.2.2.5), and more than four bits would make the propagator write a header of 56 characters.
 */
const withKnownFlags = (
  { traceId, spanId, traceFlags, traceState }: SpanContext,
  isRemote = false,
): SpanContext => ({
  traceId,
  spanId,
  traceFlags: traceFlags & 0b11,
  isRemote,
  ...(traceState === undefined ? {} : { traceState }),
});

/** Source: W3C Trace Context Level 2, 3.3.1.1 (32 members) and the limit of the OpenTelemetry API (512 characters). */
function problemOfTraceState(tracestate: unknown): string | undefined {
  if (tracestate === undefined || tracestate === null) return undefined;
  if (typeof tracestate !== 'string') return 'is not text';
  if (tracestate.length > 512) return 'is longer than 512 characters';
  const members = tracestate.split(',').filter((member) => member.trim() !== '');
  if (members.length > 32) return 'has more than 32 members';
  const isValid = (member: string) => new TraceState(member).serialize() !== '';
  return members.every(isValid) ? undefined : 'has an invalid member';
}
