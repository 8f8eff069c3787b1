import {
  type Context,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '@opentelemetry/core';

/** The two headers of W3C Trace Context, whatever carries them. */
export interface TraceHeaders {
  readonly traceparent: string;
  readonly tracestate?: string;
}

// Its own, never the global one, which an application may have made a composite: baggage would then end up in pods,
// where it is readable for everyone who may read pods.
const propagator = new W3CTraceContextPropagator();

/** The headers of the context's span; undefined where it has none, or none that is valid. */
export function injectTraceHeaders(from: Context): TraceHeaders | undefined {
  const spanContext = trace.getSpanContext(from);
  if (spanContext === undefined) return undefined;
  const carrier: Record<string, string> = {};
  propagator.inject(trace.setSpanContext(from, withKnownFlags(spanContext)), carrier, defaultTextMapSetter);
  const { traceparent, tracestate } = carrier;
  // The propagator takes ids in upper case, which the specification does not: what it would not read is not written.
  if (traceparent === undefined || extracted(ROOT_CONTEXT, carrier) === ROOT_CONTEXT) return undefined;
  return tracestate ? { traceparent, tracestate } : { traceparent };
}

/** The context with the span of the headers as its parent; the context itself where they hold none that is valid. */
export function extractTraceHeaders(into: Context, traceparent: unknown, tracestate: unknown): Context {
  if (typeof traceparent !== 'string') return into;
  const carrier: Record<string, string> = { traceparent: traceparent.trim() };
  if (typeof tracestate === 'string' && isShortList(tracestate)) carrier.tracestate = tracestate;
  const context = extracted(into, carrier);
  const spanContext = context === into ? undefined : trace.getSpanContext(context);
  return spanContext === undefined ? into : trace.setSpanContext(into, withKnownFlags(spanContext, true));
}

const getter: TextMapGetter<Record<string, string>> = {
  get: (carrier, key) => carrier[key],
  keys: (carrier) => Object.keys(carrier),
};

const extracted = (into: Context, carrier: Record<string, string>) =>
  propagator.extract(into, carrier, getter);

/**
 * Sampled and random: the flags that have a meaning. Others "MUST be set to zero" (W3C Trace Context Level 2, 3.2.2.5),
 * and more than four bits would make the propagator write a header of 56 characters.
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

/** "There can be a maximum of 32 list-members" (W3C Trace Context, 3.3.1.1); the propagator would cut a longer list. */
const isShortList = (tracestate: string) =>
  tracestate.split(',').filter((member) => member.trim() !== '').length <= 32;
