import { namespaces } from '../tracing/namespaces.ts';

/**
 * Every span that the bridge creates for a training run, with its attributes and events, as data. The code and the
 * documentation's tables take the names from here.
 *
 * Names follow the OpenTelemetry naming rules. `gen_ai.request.model` is from the semantic conventions for generative
 * AI, `kubeflow.*` are the names proposed for the Kubeflow SDK. There is no convention for training.
 */

export const runSpans = {
  run: {
    name: 'training.run',
    from: '`start_time` of the file, otherwise the first snapshot',
    to: 'the last snapshot of the run',
    exported: 'when the run ends by its `status`, a new run replaces it, or the bridge stops',
  },
  started: {
    name: 'training.run.started',
    from: 'as `training.run`',
    to: 'the same moment',
    exported: 'at once, so that the trace of a long run can be found from its first minute',
  },
  epoch: {
    name: 'training.epoch',
    from: 'the last snapshot of the previous epoch; for the first epoch, as `training.run`',
    to: 'the last snapshot of the epoch',
    exported: 'when the epoch ends',
  },
} as const;

export type RunSpan = keyof typeof runSpans;

interface AttributeRow {
  readonly name: string;
  readonly description: string;
  readonly on: readonly RunSpan[];
}

const { training, genAi, kubeflow } = namespaces;
const allSpans = ['run', 'started', 'epoch'] as const;
/** Spans that are exported when the run or the epoch has ended. */
const endedSpans = ['run', 'epoch'] as const;

export const spanAttributes = {
  jobId: { name: training.jobId[0], description: '`job_id`', on: allSpans },
  model: { name: genAi.requestModel[0], description: '`model_name`', on: allSpans },
  dataset: { name: training.dataset[0], description: '`dataset`', on: allSpans },
  jobName: { name: kubeflow.jobName[0], description: '`job_id`', on: allSpans },
  jobType: { name: kubeflow.jobType[0], description: '`job_type`', on: allSpans },
  rank: { name: training.rank[0], description: 'Rank, if the job has ranks', on: allSpans },
  epoch: { name: training.epoch[0], description: 'The epoch; of a run, the last one', on: endedSpans },
  partial: {
    name: 'training.epoch.partial',
    description: 'true: its beginning was not seen, and it starts at its first snapshot',
    on: ['epoch'],
  },
  totalEpochs: { name: training.totalEpochs[0], description: '`total_epochs`', on: ['run'] },
  batches: {
    name: 'training.batches',
    description: 'Batches trained, as `ml.training.batch_number`',
    on: ['run'],
  },
  loss: { name: training.loss[0], description: 'Last finite `training_loss`', on: endedSpans },
  validationLoss: {
    name: training.validationLoss[0],
    description: 'Last finite `validation_loss`',
    on: endedSpans,
  },
  accuracy: { name: training.accuracy[0], description: 'Last `accuracy`', on: endedSpans },
  learningRate: { name: training.learningRate[0], description: 'Last `learning_rate`', on: endedSpans },
  state: { name: 'training.run.state', description: 'completed, failed or ended', on: ['run'] },
  runPartial: {
    name: 'training.run.partial',
    description:
      'true: the bridge did not see the beginning of the run; another bridge may have sent a span of it',
    on: ['run'],
  },
  errorType: {
    name: 'error.type',
    description:
      'With error status: the `type` of the file’s `error`, `training_failed` or `loss_not_finite`',
    on: ['run'],
  },
} as const satisfies Readonly<Record<string, AttributeRow>>;

export type SpanAttribute = keyof typeof spanAttributes;

interface EventRow {
  readonly name: string;
  readonly description: string;
  readonly attributes: readonly string[];
}

/** Span events that the bridge adds, in addition to the `events` of the file. */
export const spanEvents = {
  lossNotFinite: {
    name: 'loss_not_finite',
    description: '`training_loss` or `validation_loss` became NaN or infinite',
    attributes: ['training.field', 'training.value'],
  },
  stalled: { name: 'run_stalled', description: 'No step for `STALL_AFTER`', attributes: [] },
  resumed: { name: 'run_resumed', description: 'The first step after a stall', attributes: [] },
  rewound: {
    name: 'run_rewound',
    description: 'Of a log: the job went back to a checkpoint, and its steps begin again from there',
    attributes: ['training.global_step', 'training.previous_global_step'],
  },
  validationImproved: {
    name: 'validation_loss_improved',
    description: 'At the end of an epoch: the lowest `validation_loss` so far',
    attributes: ['training.validation_loss', 'training.previous_validation_loss'],
  },
  restarted: {
    name: 'run_restarted',
    description: 'The job restarted with the same `job_id` and another `start_time`',
    attributes: ['training.previous_start_time'],
  },
  exception: {
    name: 'exception',
    description: 'The file’s `error`, at the end of the run',
    attributes: ['exception.type', 'exception.message'],
  },
} as const satisfies Readonly<Record<string, EventRow>>;
