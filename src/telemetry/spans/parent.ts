import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { JobMetadata } from '../../snapshot/snapshot.ts';
import { extractFromEnv, type TraceEnv } from '../../tracing/env.ts';
import { extractTraceHeaders } from '../../tracing/w3c.ts';

/** Whether the environment holds what is no trace context. What others put there must not keep a bridge from starting. */
export function hasInvalidParent(environment: TraceEnv): boolean {
  return environment.TRACEPARENT !== undefined && extractFromEnv(environment, ROOT_CONTEXT) === ROOT_CONTEXT;
}

export interface Parent {
  /** Who began the trace; `none` where the run is its root. */
  readonly source: 'environment' | 'file' | 'none';
  readonly context: Context;
}

/**
 * The parent of a run's span: that of the bridge's own environment, where whoever submitted the job or the pod's
 * annotations put it, else that of the file. One that is invalid is as good as none.
 */
export function parentOf(environment: TraceEnv, { traceparent, tracestate }: JobMetadata): Parent {
  const fromEnvironment = extractFromEnv(environment, ROOT_CONTEXT);
  if (fromEnvironment !== ROOT_CONTEXT) return { source: 'environment', context: fromEnvironment };
  const fromFile = extractTraceHeaders(ROOT_CONTEXT, traceparent, tracestate);
  return { source: fromFile === ROOT_CONTEXT ? 'none' : 'file', context: fromFile };
}
