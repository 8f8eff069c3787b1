import { diag, type Tracer, trace } from '@opentelemetry/api';
import { version } from '../common/version.ts';

/** Name of the instrumentation scope of every span of this library. */
export const tracerName = 'ml-metrics-bridge/tracing';

/** Looked up at every use, because the SDK may be set up after this module is loaded, shut down, and set up again. */
export const tracer = (): Tracer => trace.getTracer(tracerName, version);

/** Runs code of tracing itself. An error in it goes to the API's diagnostics, so that it cannot keep a job from being submitted. */
export function catchTracingErrors<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    diag.error('ml-metrics-bridge: an error in tracing, the traced code continues', error);
    return undefined;
  }
}
