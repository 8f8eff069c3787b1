import { type Context, createTraceState, ROOT_CONTEXT, type SpanContext, trace } from '@opentelemetry/api';
import fc from 'fast-check';

export const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
export const spanId = '00f067aa0ba902b7';
export const traceparent = `00-${traceId}-${spanId}-01`;

/** A context with a span, as one that was extracted or started has it. */
export function contextWith(parts: Partial<SpanContext> & { readonly state?: string } = {}): Context {
  const { state, ...rest } = parts;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId,
    spanId,
    traceFlags: 1,
    ...(state === undefined ? {} : { traceState: createTraceState(state) }),
    ...rest,
  });
}

const hex = (length: number) =>
  fc
    .string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
    .filter((id) => !/^0+$/.test(id));

const key = fc.stringMatching(/^[a-z][a-z0-9_*/-]{0,10}$/);
const value = fc.stringMatching(/^[!-+\--<>-~]{1,12}$/);

/** Any valid span context, with a tracestate that has every allowed character in it sooner or later. */
export const anyContext = fc
  .record({
    traceId: hex(32),
    spanId: hex(16),
    traceFlags: fc.nat(255),
    state: fc.option(
      fc
        .uniqueArray(fc.tuple(key, value), { selector: ([name]) => name, minLength: 1, maxLength: 8 })
        .map((list) => list.map((pair) => pair.join('=')).join(',')),
      { nil: undefined },
    ),
  })
  .map(({ state, ...rest }) => contextWith(state === undefined ? rest : { ...rest, state }));

/** What arrives in a variable that anyone may set: nearly right ones, and anything at all. */
export const hostileTraceparent = fc.oneof(
  fc.string({ maxLength: 80 }),
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEFg-. \n\t\0ß'), maxLength: 70 }),
  fc
    .tuple(fc.constant(traceparent), fc.nat(54), fc.nat(8), fc.string({ unit: 'grapheme', maxLength: 8 }))
    .map(([text, at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut)),
  fc
    .tuple(hex(2), hex(32), hex(16), hex(2), fc.string({ maxLength: 6 }))
    .map(([version, trace, span, flags, rest]) => `${version}-${trace}-${span}-${flags}${rest}`),
);

export const anything = fc.oneof(hostileTraceparent, fc.anything({ maxDepth: 1 }));
