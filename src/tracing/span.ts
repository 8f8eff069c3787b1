import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  type SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { catchTracingErrors, tracer } from './tracer.ts';

export interface SpanSettings {
  /** INTERNAL if not given. */
  readonly kind?: SpanKind;
  readonly links?: readonly Link[];
  /** Where the parent is taken from; the active context if not given. */
  readonly parent?: Context;
}

/**
 * Runs `fn` inside a span that is active in it, and gives back what `fn` gives. The span ends when `fn` is done, or
 * when the promise it returned is settled; what it throws, or its promise is rejected with, is recorded, sets the
 * error status and goes on to the caller. A thenable that is not a promise (a query builder, say) is run once, and
 * what comes back is what its `then` returns.
 *
 * Without an SDK, and where the span is not sampled, `fn` is called and nothing else happens. Tracing that fails never
 * reaches the caller.
 */
export function withSpan<T>(
  name: string,
  attributes: Attributes,
  fn: (span: Span) => T,
  settings: SpanSettings = {},
): T {
  const { span, inside } = begin(name, attributes, settings);
  if (!span.isRecording()) return context.with(inside, fn, undefined, span);
  try {
    const result = context.with(inside, fn, undefined, span);
    if (isThenable(result)) return settled(result, span) as T;
    finish(span);
    return result;
  } catch (error) {
    finishWith(span, error);
    throw error;
  }
}

/** A span whose end its owner decides. Only the first of `end` and `fail` counts. */
export interface OpenSpan {
  readonly span: Span;
  /** The context in which the span is active, to hand to `injectToEnv` and the like. */
  readonly context: Context;
  /** Runs `fn` with the span active. Does not end the span, whatever happens. */
  run<T>(fn: () => T): T;
  end(): void;
  /** Records the error, sets the error status and ends. */
  fail(error: unknown): void;
}

/** Starts a span that does not become active and ends only when told to. */
export function startSpan(name: string, attributes: Attributes, settings: SpanSettings = {}): OpenSpan {
  const { span, inside } = begin(name, attributes, settings);
  let open = true;
  const once = (close: () => void) => {
    if (open) close();
    open = false;
  };
  return {
    span,
    context: inside,
    run: (fn) => context.with(inside, fn),
    end: () => once(() => finish(span)),
    fail: (error) => once(() => finishWith(span, error)),
  };
}

function begin(name: string, attributes: Attributes, { kind, links, parent }: SpanSettings) {
  const outside = parent ?? context.active();
  const options = {
    attributes,
    ...(kind === undefined ? {} : { kind }),
    ...(links === undefined ? {} : { links: [...links] }),
  };
  const span =
    catchTracingErrors(() => tracer().startSpan(name, options, outside)) ??
    trace.wrapSpanContext(trace.getSpanContext(outside) ?? INVALID_SPAN_CONTEXT);
  return { span, inside: trace.setSpan(outside, span) };
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') &&
  typeof (value as { then?: unknown }).then === 'function';

function settled<V>(promise: PromiseLike<V>, span: Span): PromiseLike<V> {
  return promise.then(
    (value) => {
      finish(span);
      return value;
    },
    (error: unknown) => {
      finishWith(span, error);
      throw error;
    },
  );
}

function finish(span: Span): void {
  catchTracingErrors(() => span.end());
}

function finishWith(span: Span, error: unknown): void {
  catchTracingErrors(() => recordError(span, error));
  finish(span);
}

/** Source: OpenTelemetry semantic conventions, recording errors: `error.type`, the status and the exception event. */
function recordError(span: Span, error: unknown): void {
  const { type, message } = describe(error);
  span.setAttribute('error.type', type);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
  span.recordException(error instanceof Error ? error : { name: type, message });
}

function describe(error: unknown): { readonly type: string; readonly message: string } {
  if (typeof error !== 'object' || error === null) return { type: typeof error, message: String(error) };
  const { name, message } = error as { name?: unknown; message?: unknown };
  return {
    type: typeof name === 'string' && name !== '' ? name : 'Error',
    message: typeof message === 'string' ? message : '',
  };
}
