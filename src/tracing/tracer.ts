import { diag, type Tracer, trace } from '@opentelemetry/api';
import { version } from '../common/version.ts';

/** Name of the instrumentation scope of every span of this library. */
export const tracerName = 'ml-metrics-bridge/tracing';

/** Looked up at every use: the SDK may be set up after this module is loaded, taken down, and set up again. */
export const tracer = (): Tracer => trace.getTracer(tracerName, version);

/** Runs what only serves tracing. It must never be the reason that a job is not submitted. */
export function catchTracingErrors<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    diag.error('ml-metrics-bridge: tracing failed, the traced code goes on', error);
    return undefined;
  }
}
