import { type Context, ROOT_CONTEXT } from '@opentelemetry/api';
import type { JobMetadata } from '../../snapshot/snapshot.ts';
import { extractFromEnv, type TraceEnv } from '../../tracing/env.ts';
import { extractTraceHeaders } from '../../tracing/w3c.ts';

/** Whether TRACEPARENT is set and invalid. It is ignored then, so that it cannot keep the bridge from starting. */
export function hasInvalidParent(environment: TraceEnv): boolean {
  return environment.TRACEPARENT !== undefined && extractFromEnv(environment, ROOT_CONTEXT) === ROOT_CONTEXT;
}

export interface Parent {
  /** Where the parent comes from; `none` if the run is the root of its trace. */
  readonly source: 'environment' | 'file' | 'none';
  readonly context: Context;
}

/**
 * The parent of a run's span: from the environment, where the submitting program or the pod's annotations put it, else
 * from the file. An invalid one is ignored.
 */
export function parentOf(environment: TraceEnv, { traceparent, tracestate }: JobMetadata): Parent {
  const fromEnvironment = extractFromEnv(environment, ROOT_CONTEXT);
  if (fromEnvironment !== ROOT_CONTEXT) return { source: 'environment', context: fromEnvironment };
  const fromFile = extractTraceHeaders(ROOT_CONTEXT, traceparent, tracestate);
  return { source: fromFile === ROOT_CONTEXT ? 'none' : 'file', context: fromFile };
}
