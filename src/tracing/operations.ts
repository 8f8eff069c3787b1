import { type Attributes, type Span, SpanKind } from '@opentelemetry/api';
import { type AttributeValues, attributesFrom, type Fields } from './fields.ts';
import { namespaces } from './namespaces.ts';
import { withSpan } from './span.ts';

interface OperationRow {
  readonly kind: SpanKind;
  readonly fields: Fields;
}

const { kubeflow, genAi, model } = namespaces;

/**
 * Operations of a machine learning platform, by the name of their span. All are synchronous calls to another service,
 * so their kind is CLIENT. The job that a call starts has its own span, as a child.
 */
export const operations = {
  'trainer.submit_job': {
    kind: SpanKind.CLIENT,
    fields: {
      jobName: kubeflow.jobName,
      jobType: kubeflow.jobType,
      namespace: kubeflow.namespace,
      runtimeName: kubeflow.runtimeName,
      nodes: kubeflow.nodes,
      model: genAi.requestModel,
    },
  },
  'pipeline.create_run': {
    kind: SpanKind.CLIENT,
    fields: {
      pipelineId: ['pipeline.id', 'string'],
      pipelineName: ['pipeline.name', 'string'],
      runId: ['pipeline.run_id', 'string'],
      runName: ['pipeline.run_name', 'string'],
    },
  },
  'pipeline.get_run': {
    kind: SpanKind.CLIENT,
    fields: { runId: ['pipeline.run_id', 'string'], status: ['pipeline.status', 'string'] },
  },
  'kfp.create_experiment': {
    kind: SpanKind.CLIENT,
    fields: {
      experimentName: ['kfp.experiment_name', 'string'],
      experimentId: ['kfp.experiment_id', 'string'],
      namespace: kubeflow.namespace,
    },
  },
  'kfp.run_pipeline': {
    kind: SpanKind.CLIENT,
    fields: {
      pipelineName: ['kfp.pipeline_name', 'string'],
      pipelineId: ['kfp.pipeline_id', 'string'],
      experimentId: ['kfp.experiment_id', 'string'],
      runId: ['kfp.run_id', 'string'],
    },
  },
  'katib.create_experiment': {
    kind: SpanKind.CLIENT,
    fields: {
      experimentName: ['katib.experiment_name', 'string'],
      objective: ['katib.objective', 'string'],
      algorithm: ['katib.algorithm', 'string'],
      maxTrials: ['katib.max_trial_count', 'number'],
      parallelTrials: ['katib.parallel_trial_count', 'number'],
    },
  },
  'inference.create_service': {
    kind: SpanKind.CLIENT,
    fields: {
      serviceName: ['inference.service_name', 'string'],
      runtime: ['inference.runtime', 'string'],
      replicas: ['inference.replicas', 'number'],
      modelUri: model.uri,
      model: genAi.requestModel,
    },
  },
  'inference.predict': {
    kind: SpanKind.CLIENT,
    fields: {
      serviceName: ['inference.service_name', 'string'],
      batchSize: ['inference.batch_size', 'number'],
      model: genAi.requestModel,
      inputTokens: genAi.inputTokens,
      outputTokens: genAi.outputTokens,
    },
  },
} as const satisfies Readonly<Record<string, OperationRow>>;

export type Operation = keyof typeof operations;
export type OperationValues<O extends Operation> = AttributeValues<(typeof operations)[O]['fields']>;

/** The attributes of an operation, for values that are known only afterwards: `span.setAttributes(…)`. */
export function operationAttributes<O extends Operation>(
  operation: O,
  values: OperationValues<O>,
): Attributes {
  return attributesFrom<Fields>(operations[operation].fields, values as AttributeValues<Fields>);
}

/** Runs `fn` in the span of an operation. Otherwise like `withSpan`. */
export function withOperation<O extends Operation, T>(
  operation: O,
  values: OperationValues<O>,
  fn: (span: Span) => T,
): T {
  const { kind } = operations[operation];
  return withSpan(operation, operationAttributes(operation, values), fn, { kind });
}
