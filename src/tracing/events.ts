import { type Span, trace } from '@opentelemetry/api';
import { type AttributeValues, attributesFrom, type Fields } from './fields.ts';
import { genAiAttributes } from './namespaces.ts';
import { catchTracingErrors } from './tracer.ts';

interface EventRow {
  /** The name of the event in the trace. */
  readonly name: string;
  readonly fields: Fields;
}

/** The events of a training job, by the name of their function. */
export const eventTable = {
  jobQueued: {
    name: 'job_queued',
    fields: {
      queue: ['job.queue', 'string'],
      position: ['job.queue_position', 'number'],
      priority: ['job.priority', 'string'],
    },
  },
  jobStarted: {
    name: 'job_started',
    fields: {
      queue: ['job.queue', 'string'],
      queueTimeMs: ['job.queue_time_ms', 'number'],
    },
  },
  modelCheckpointSaved: {
    name: 'model_checkpoint_saved',
    fields: {
      path: ['checkpoint.path', 'string'],
      checkpoint_path: ['checkpoint.path', 'string'],
      sizeBytes: ['checkpoint.size_bytes', 'number'],
      epoch: ['training.epoch', 'number'],
      globalStep: ['training.global_step', 'number'],
      loss: ['training.loss', 'number'],
      accuracy: ['training.accuracy', 'number'],
    },
  },
  datasetLoaded: {
    name: 'dataset_loaded',
    fields: {
      name: ['dataset.name', 'string'],
      version: ['dataset.version', 'string'],
      split: ['dataset.split', 'string'],
      uri: ['dataset.uri', 'string'],
      samples: ['dataset.samples', 'number'],
      dataset_size: ['dataset.samples', 'number'],
      loadTimeMs: ['dataset.load_time_ms', 'number'],
      load_time_ms: ['dataset.load_time_ms', 'number'],
    },
  },
  earlyStoppingTriggered: {
    name: 'early_stopping_triggered',
    fields: {
      epoch: ['training.epoch', 'number'],
      metric: ['early_stopping.metric', 'string'],
      patience: ['early_stopping.patience', 'number'],
      bestValue: ['early_stopping.best_value', 'number'],
      bestEpoch: ['early_stopping.best_epoch', 'number'],
    },
  },
  validationAccuracyImproved: {
    name: 'validation_accuracy_improved',
    fields: {
      epoch: ['training.epoch', 'number'],
      accuracy: ['validation.accuracy', 'number'],
      previousAccuracy: ['validation.previous_accuracy', 'number'],
    },
  },
  fineTuningStarted: {
    name: 'Fine-tuning started',
    fields: {
      model: ['gen_ai.request.model', 'string'],
      method: ['fine_tuning.method', 'string'],
      dataset: ['training.dataset', 'string'],
    },
  },
} as const satisfies Readonly<Record<string, EventRow>>;

type EventTable = typeof eventTable;

/** One function for each event. It adds the event to the given span, or to the active span if none is given; without a span it does nothing. */
export type Events = {
  readonly [K in keyof EventTable]: (values?: AttributeValues<EventTable[K]['fields']>, span?: Span) => void;
};

const marker =
  ({ name, fields }: EventRow) =>
  (values: AttributeValues<Fields> = {}, span = trace.getActiveSpan()): void => {
    catchTracingErrors(() => span?.addEvent(name, attributesFrom(fields, values)));
  };

export const events = Object.freeze(
  Object.fromEntries(Object.entries(eventTable).map(([key, row]) => [key, marker(row)])),
) as Events;

/** Sets the token usage of a model call on the given span, or on the active span if none is given. A later call replaces the numbers. */
export function recordTokenUsage(
  usage: { readonly inputTokens?: number | undefined; readonly outputTokens?: number | undefined },
  span = trace.getActiveSpan(),
): void {
  const { inputTokens, outputTokens } = usage;
  catchTracingErrors(() => span?.setAttributes(genAiAttributes({ inputTokens, outputTokens })));
}
