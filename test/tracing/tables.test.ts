import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { eventTable } from '../../src/tracing/events.ts';
import {
  events,
  genAiAttributes,
  kubeflowAttributes,
  modelAttributes,
  type Operation,
  operationAttributes,
  operations,
  pipelinePhases,
  recordTokenUsage,
  resourceAttributes,
  tenantAttributes,
  trainingAttributes,
  withOperation,
  withPhase,
  withSpan,
} from '../../src/tracing/index.ts';
import { namespaces } from '../../src/tracing/namespaces.ts';
import { startSdk } from './support/sdk.ts';

describe('attribute helpers', () => {
  it.each([
    [
      trainingAttributes({ jobId: 'j', totalEpochs: 5, distributed: true }),
      { 'training.job_id': 'j', 'training.total_epochs': 5, 'training.distributed': true },
    ],
    [
      modelAttributes({ name: 'resnet-50', parameters: 25_600_000 }),
      { 'model.name': 'resnet-50', 'model.parameters': 25_600_000 },
    ],
    [
      genAiAttributes({ requestModel: 'llama-3', finishReasons: ['stop'] }),
      { 'gen_ai.request.model': 'llama-3', 'gen_ai.response.finish_reasons': ['stop'] },
    ],
    [
      kubeflowAttributes({ jobName: 'job', jobType: 'PyTorchJob' }),
      { 'kubeflow.job.name': 'job', 'kubeflow.job_type': 'PyTorchJob' },
    ],
    [tenantAttributes({ id: 't' }), { 'tenant.id': 't' }],
    [resourceAttributes({ gpuCount: 8 }), { 'resource.gpu.count': 8 }],
    [
      modelAttributes({ id: 'm-1', type: 'transformer', 'model.version': '2' }),
      { 'model.id': 'm-1', 'model.type': 'transformer', 'model.version': '2' },
    ],
    [
      tenantAttributes({ quotaUsage: 0.7, 'user.id': 'u-1' }),
      { 'tenant.quota_usage': 0.7, 'user.id': 'u-1' },
    ],
    [
      resourceAttributes({ instanceType: 'p4d.24xlarge', 'resource.gpu_count': 8 }),
      { 'resource.instance_type': 'p4d.24xlarge', 'resource.gpu.count': 8 },
    ],
    [
      trainingAttributes({ 'training.epochs': 10, 'job.type': 'PyTorchJob', 'job.priority': 'high' }),
      { 'training.total_epochs': 10, 'kubeflow.job_type': 'PyTorchJob', 'job.priority': 'high' },
    ],
    // Zero, empty and false are values; only what is not there is left out.
    [
      trainingAttributes({ jobId: '', epoch: 0, distributed: false, loss: undefined }),
      { 'training.job_id': '', 'training.epoch': 0, 'training.distributed': false },
    ],
    [
      trainingAttributes({ jobId: 'j', 'team.mascot': 'owl' }),
      { 'training.job_id': 'j', 'team.mascot': 'owl' },
    ],
  ])('%j', (attributes, expected) => {
    expect(attributes).toStrictEqual(expected);
  });

  it('are typed, and leave out what types did not stop', () => {
    // @ts-expect-error a number
    trainingAttributes({ epoch: '3' });
    // @ts-expect-error no such attribute
    expect(trainingAttributes({ epochs: 3 })).toEqual({});
    // @ts-expect-error not of this table, and no way to the prototype
    expect(trainingAttributes({ constructor: 'x' })).toEqual({});
  });

  it('have names by the rules of the semantic conventions, each in its namespace', () => {
    const prefixes = {
      training: 'training',
      model: 'model',
      genAi: 'gen_ai',
      kubeflow: 'kubeflow',
      tenant: 'tenant',
      resource: 'resource',
    };
    for (const [namespace, fields] of Object.entries(namespaces)) {
      for (const [name] of Object.values(fields)) {
        expect(name).toMatch(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/);
        expect(name.startsWith(`${prefixes[namespace as keyof typeof prefixes]}.`)).toBe(true);
      }
    }
  });
});

describe('events', () => {
  it('are the seven, by the names they have in the trace', () => {
    expect(Object.values(eventTable).map(({ name }) => name)).toEqual([
      'job_queued',
      'job_started',
      'model_checkpoint_saved',
      'dataset_loaded',
      'early_stopping_triggered',
      'validation_accuracy_improved',
      'Fine-tuning started',
    ]);
    expect(Object.keys(events)).toEqual(Object.keys(eventTable));
  });

  it('mark the active span, or the one given', () => {
    const sdk = startSdk();
    withSpan('outer', {}, (outer) =>
      withSpan('inner', {}, () => {
        events.modelCheckpointSaved({ path: 's3://models/3', epoch: 3 });
        events.fineTuningStarted();
        events.datasetLoaded({ name: 'imagenet', samples: 1_281_167 }, outer);
        // @ts-expect-error no such attribute of this event
        events.datasetLoaded({ patience: 1 });
      }),
    );
    const [inner, outer] = sdk.spans();
    expect(inner?.events).toMatchObject([
      {
        name: 'model_checkpoint_saved',
        attributes: { 'checkpoint.path': 's3://models/3', 'training.epoch': 3 },
      },
      { name: 'Fine-tuning started' },
      { name: 'dataset_loaded', attributes: {} },
    ]);
    expect(outer?.events).toMatchObject([
      { name: 'dataset_loaded', attributes: { 'dataset.name': 'imagenet', 'dataset.samples': 1_281_167 } },
    ]);
  });

  it('take the other names that are in use for a field', () => {
    const sdk = startSdk();
    withSpan('train', {}, () => {
      events.jobQueued({ queue: 'gpu', position: 3, priority: 'high' });
      events.jobStarted({ queueTimeMs: 1200 });
      events.modelCheckpointSaved({ checkpoint_path: '/checkpoints/3' });
      events.datasetLoaded({ dataset_size: 50_000, load_time_ms: 830 });
    });
    expect(sdk.only().events).toMatchObject([
      { attributes: { 'job.queue': 'gpu', 'job.queue_position': 3, 'job.priority': 'high' } },
      { attributes: { 'job.queue_time_ms': 1200 } },
      { attributes: { 'checkpoint.path': '/checkpoints/3' } },
      { attributes: { 'dataset.samples': 50_000, 'dataset.load_time_ms': 830 } },
    ]);
  });

  it('do nothing without a span', () => {
    startSdk();
    expect(trace.getActiveSpan()).toBeUndefined();
    expect(() => events.earlyStoppingTriggered({ patience: 3 })).not.toThrow();
    expect(() => recordTokenUsage({ inputTokens: 1 })).not.toThrow();
  });

  it('token usage', () => {
    const sdk = startSdk();
    withSpan('chat', {}, () => recordTokenUsage({ inputTokens: 120, outputTokens: 0 }));
    expect(sdk.only().attributes).toEqual({
      'gen_ai.usage.input_tokens': 120,
      'gen_ai.usage.output_tokens': 0,
    });
  });
});

describe('phases', () => {
  it.each(pipelinePhases)('%s is a span of that name', (phase) => {
    const sdk = startSdk();
    expect(withPhase(phase, { 'training.job_id': 'j' }, () => phase.length)).toBe(phase.length);
    expect(sdk.only()).toMatchObject({
      name: phase,
      attributes: { 'training.job_id': 'j', 'training.phase': phase },
    });
  });
});

describe('operations', () => {
  it('are the eight, each a call that is waited for', () => {
    expect(Object.entries(operations).map(([name, { kind }]) => [name, kind])).toEqual(
      [
        'trainer.submit_job',
        'pipeline.create_run',
        'pipeline.get_run',
        'kfp.create_experiment',
        'kfp.run_pipeline',
        'katib.create_experiment',
        'inference.create_service',
        'inference.predict',
      ].map((name) => [name, SpanKind.CLIENT]),
    );
  });

  it.each(Object.keys(operations) as Operation[])(
    '%s becomes a span of its name and kind',
    async (operation) => {
      const sdk = startSdk();
      expect(await withOperation(operation, { 'tenant.id': 't' }, async () => 'done')).toBe('done');
      expect(sdk.only()).toMatchObject({
        name: operation,
        kind: SpanKind.CLIENT,
        attributes: { 'tenant.id': 't' },
      });
    },
  );

  it('take typed values, and more when they are known', () => {
    const sdk = startSdk();
    withOperation(
      'katib.create_experiment',
      { objective: 'accuracy', algorithm: 'tpe', maxTrials: 12 },
      () => 1,
    );
    withOperation('pipeline.create_run', { pipelineId: 'p' }, (span) =>
      span.setAttributes(operationAttributes('pipeline.create_run', { runId: 'r-1' })),
    );
    // @ts-expect-error another operation's attribute
    withOperation('inference.predict', { algorithm: 'tpe' }, () => 1);
    // @ts-expect-error no such operation
    expect(() => withOperation('trainer.delete_job', {}, () => 1)).toThrow(TypeError);
    expect(sdk.spans().map(({ attributes }) => attributes)).toEqual([
      { 'katib.objective': 'accuracy', 'katib.algorithm': 'tpe', 'katib.max_trial_count': 12 },
      { 'pipeline.id': 'p', 'pipeline.run_id': 'r-1' },
      {},
    ]);
  });

  it('are marked as errors when they fail', async () => {
    const sdk = startSdk();
    const submit = withOperation('trainer.submit_job', { jobName: 'j' }, () =>
      Promise.reject(new Error('403')),
    );
    await expect(submit).rejects.toThrow('403');
    expect(sdk.only().status.code).toBe(SpanStatusCode.ERROR);
  });
});
