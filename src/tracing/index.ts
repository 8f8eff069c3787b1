/**
 * For programs that submit training jobs: spans of their operations, and trace context for the jobs that they start.
 * Needs only the OpenTelemetry API. Without an SDK in the process its spans are no-ops and nothing is injected.
 */
export {
  extractFromAnnotations,
  injectToAnnotations,
  type TraceAnnotations,
  traceparentAnnotation,
  tracestateAnnotation,
} from './annotations.ts';
export {
  type EnvRecord,
  type EnvVar,
  extractFromEnv,
  injectToEnv,
  injectToEnvList,
  type TraceEnv,
} from './env.ts';
export { type Events, events, recordTokenUsage } from './events.ts';
export {
  genAiAttributes,
  kubeflowAttributes,
  modelAttributes,
  resourceAttributes,
  tenantAttributes,
  trainingAttributes,
} from './namespaces.ts';
export {
  type Operation,
  type OperationValues,
  operationAttributes,
  operations,
  withOperation,
} from './operations.ts';
export { type PipelinePhase, pipelinePhases, withPhase } from './phases.ts';
export { type OpenSpan, type SpanSettings, startSpan, withSpan } from './span.ts';
export { traced } from './traced.ts';
