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
import { keepRandomFlag } from './random-flag.ts';
import { catchTracingErrors, tracer } from './tracer.ts';

export interface SpanSettings {
  /** Default: INTERNAL. */
  readonly kind?: SpanKind;
  readonly links?: readonly Link[];
  /** The context that contains the parent. Default: the active context. */
  readonly parent?: Context;
}

/**
 * Runs `fn` in a span that is active during the call, and returns the result of `fn`. The span ends when `fn` returns,
 * or when the promise that it returned is settled. An error that `fn` throws, or that rejects its promise, is recorded
 * on the span with the error status and passed on to the caller. Of a thenable that is not a promise, such as a query
 * builder, `then` is called once and its result is returned.
 *
 * Without an SDK, or if the span is not sampled, `fn` is only called. Errors of tracing itself never reach the caller.
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

/** A span that its owner ends. Only the first call of `end` or `fail` has an effect. */
export interface OpenSpan {
  readonly span: Span;
  /** The context in which the span is active, for example for `injectToEnv`. */
  readonly context: Context;
  /** Runs `fn` with the span active. Never ends the span. */
  run<T>(fn: () => T): T;
  end(): void;
  /** Records the error, sets the error status and ends the span. */
  fail(error: unknown): void;
}

/** Starts a span that is not active and that ends only by `end` or `fail`. */
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
  catchTracingErrors(() => keepRandomFlag(span.spanContext(), outside));
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
