import type { Attributes, Span } from '@opentelemetry/api';
import { trainingAttributes } from './namespaces.ts';
import { withSpan } from './span.ts';

/** The phases of a training pipeline, in the order they usually run. */
export const pipelinePhases = [
  'data_preprocessing',
  'feature_engineering',
  'model_training',
  'model_evaluation',
] as const;

export type PipelinePhase = (typeof pipelinePhases)[number];

/** Runs `fn` in a span with the name of the phase and the attribute `training.phase`. Otherwise like `withSpan`. */
export function withPhase<T>(phase: PipelinePhase, attributes: Attributes, fn: (span: Span) => T): T {
  return withSpan(phase, { ...attributes, ...trainingAttributes({ phase }) }, fn);
}
