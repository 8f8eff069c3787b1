import { type Context, context } from '@opentelemetry/api';
import { extractTraceHeaders, injectTraceHeaders } from './w3c.ts';

export type Annotations = Readonly<Record<string, string | undefined>>;

/** The annotations that carry trace context. Tekton Pipelines uses these names, and the Kubeflow SDK proposes them. */
export const traceparentAnnotation = 'opentelemetry.io/traceparent';
export const tracestateAnnotation = 'opentelemetry.io/tracestate';

/** The trace context annotations of an object, if it has them. */
export type TraceAnnotations = {
  readonly [traceparentAnnotation]?: string;
  readonly [tracestateAnnotation]?: string;
};

/**
 * Adds the context's span to the annotations of a Kubernetes object. The input is never changed. As with `injectToEnv`,
 * the same object is returned if there is no valid span or if either annotation is already set.
 */
export function injectToAnnotations<A extends Annotations>(
  annotations: A,
  from?: Context,
): A & TraceAnnotations;
export function injectToAnnotations<A extends Annotations>(
  annotations: A | undefined,
  from?: Context,
): (A & TraceAnnotations) | Record<string, string> | undefined;
export function injectToAnnotations(
  annotations: Annotations | undefined,
  from = context.active(),
): Annotations | undefined {
  const taken = [traceparentAnnotation, tracestateAnnotation].some(
    (name) => annotations?.[name] !== undefined,
  );
  const headers = taken ? undefined : injectTraceHeaders(from);
  if (headers === undefined) return annotations;
  const { traceparent, tracestate } = headers;
  return {
    ...annotations,
    [traceparentAnnotation]: traceparent,
    ...(tracestate === undefined ? {} : { [tracestateAnnotation]: tracestate }),
  };
}

/** Returns `into` with the span of the annotations as parent; `into` itself if they hold no valid span. */
export function extractFromAnnotations(
  annotations: Annotations | undefined,
  into = context.active(),
): Context {
  return extractTraceHeaders(into, annotations?.[traceparentAnnotation], annotations?.[tracestateAnnotation]);
}
