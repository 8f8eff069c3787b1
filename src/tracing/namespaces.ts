import type { Attributes } from '@opentelemetry/api';
import { type AttributeValues, attributesFrom, type Fields } from './fields.ts';

/**
 * Attributes that describe a training job, by namespace.
 *
 * `gen_ai.*` are from the OpenTelemetry semantic conventions for generative AI, `kubeflow.*` are the names proposed for
 * the Kubeflow SDK. The others have no convention; their names follow the naming rules of the semantic conventions
 * (lower case, dots between namespaces, the unit in the name if it is not obvious).
 */
export const namespaces = {
  training: {
    jobId: ['training.job_id', 'string'],
    jobName: ['training.job_name', 'string'],
    dataset: ['training.dataset', 'string'],
    framework: ['training.framework', 'string'],
    phase: ['training.phase', 'string'],
    epoch: ['training.epoch', 'number'],
    totalEpochs: ['training.total_epochs', 'number'],
    globalStep: ['training.global_step', 'number'],
    rank: ['training.rank', 'number'],
    batchSize: ['training.batch_size', 'number'],
    learningRate: ['training.learning_rate', 'number'],
    optimizer: ['training.optimizer', 'string'],
    seed: ['training.seed', 'number'],
    loss: ['training.loss', 'number'],
    validationLoss: ['training.validation_loss', 'number'],
    accuracy: ['training.accuracy', 'number'],
    distributed: ['training.distributed', 'boolean'],
    nodes: ['training.num_nodes', 'number'],
  },
  model: {
    id: ['model.id', 'string'],
    name: ['model.name', 'string'],
    type: ['model.type', 'string'],
    version: ['model.version', 'string'],
    architecture: ['model.architecture', 'string'],
    framework: ['model.framework', 'string'],
    format: ['model.format', 'string'],
    uri: ['model.uri', 'string'],
    parameters: ['model.parameters', 'number'],
    sizeBytes: ['model.size_bytes', 'number'],
  },
  genAi: {
    operationName: ['gen_ai.operation.name', 'string'],
    providerName: ['gen_ai.provider.name', 'string'],
    requestModel: ['gen_ai.request.model', 'string'],
    responseModel: ['gen_ai.response.model', 'string'],
    responseId: ['gen_ai.response.id', 'string'],
    finishReasons: ['gen_ai.response.finish_reasons', 'string[]'],
    maxTokens: ['gen_ai.request.max_tokens', 'number'],
    temperature: ['gen_ai.request.temperature', 'number'],
    topP: ['gen_ai.request.top_p', 'number'],
    seed: ['gen_ai.request.seed', 'number'],
    inputTokens: ['gen_ai.usage.input_tokens', 'number'],
    outputTokens: ['gen_ai.usage.output_tokens', 'number'],
  },
  kubeflow: {
    jobName: ['kubeflow.job.name', 'string'],
    jobType: ['kubeflow.job_type', 'string'],
    jobStatus: ['kubeflow.job.status', 'string'],
    namespace: ['kubeflow.namespace', 'string'],
    backendType: ['kubeflow.backend.type', 'string'],
    trainerType: ['kubeflow.trainer.type', 'string'],
    runtimeName: ['kubeflow.runtime.name', 'string'],
    nodes: ['kubeflow.num_nodes', 'number'],
  },
  tenant: {
    id: ['tenant.id', 'string'],
    name: ['tenant.name', 'string'],
    team: ['tenant.team', 'string'],
    project: ['tenant.project', 'string'],
    costCenter: ['tenant.cost_center', 'string'],
    quotaUsage: ['tenant.quota_usage', 'number'],
  },
  resource: {
    gpuCount: ['resource.gpu.count', 'number'],
    gpuType: ['resource.gpu.type', 'string'],
    gpuMemoryBytes: ['resource.gpu.memory_bytes', 'number'],
    cpuCores: ['resource.cpu.cores', 'number'],
    memoryBytes: ['resource.memory_bytes', 'number'],
    nodes: ['resource.node.count', 'number'],
    nodePool: ['resource.node.pool', 'string'],
    instanceType: ['resource.instance_type', 'string'],
    spot: ['resource.spot', 'boolean'],
  },
} as const satisfies Readonly<Record<string, Fields>>;

type Namespaces = typeof namespaces;

export const trainingAttributes = (values: AttributeValues<Namespaces['training']>): Attributes =>
  attributesFrom(namespaces.training, values);
export const modelAttributes = (values: AttributeValues<Namespaces['model']>): Attributes =>
  attributesFrom(namespaces.model, values);
/** Source: OpenTelemetry semantic conventions, registry of `gen_ai` attributes. */
export const genAiAttributes = (values: AttributeValues<Namespaces['genAi']>): Attributes =>
  attributesFrom(namespaces.genAi, values);
export const kubeflowAttributes = (values: AttributeValues<Namespaces['kubeflow']>): Attributes =>
  attributesFrom(namespaces.kubeflow, values);
/** The tenant that the job belongs to and is charged to. Use ids and names of groups, not of persons: many people can read a trace. */
export const tenantAttributes = (values: AttributeValues<Namespaces['tenant']>): Attributes =>
  attributesFrom(namespaces.tenant, values);
/** The computing resources that the job requests. The OpenTelemetry resource is something else: it describes the source of the telemetry. */
export const resourceAttributes = (values: AttributeValues<Namespaces['resource']>): Attributes =>
  attributesFrom(namespaces.resource, values);
