import { type Context, context } from '@opentelemetry/api';
import { extractTraceHeaders, injectTraceHeaders } from './w3c.ts';

export type Annotations = Readonly<Record<string, string | undefined>>;

/** The annotations trace context travels in: the names Tekton Pipelines uses and the Kubeflow SDK proposes. */
export const traceparentAnnotation = 'opentelemetry.io/traceparent';
export const tracestateAnnotation = 'opentelemetry.io/tracestate';

/** The annotations trace context travels in, where they are. */
export type TraceAnnotations = {
  readonly [traceparentAnnotation]?: string;
  readonly [tracestateAnnotation]?: string;
};

/**
 * Annotations of a Kubernetes object with the context's span in them; the input is never changed. The rules are those
 * of `injectToEnv`: the very same object comes back where there is no valid span, and where either is there already.
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

/** The context whose span is the one in the annotations; `into` itself where there is none or an invalid one. */
export function extractFromAnnotations(
  annotations: Annotations | undefined,
  into = context.active(),
): Context {
  return extractTraceHeaders(into, annotations?.[traceparentAnnotation], annotations?.[tracestateAnnotation]);
}
