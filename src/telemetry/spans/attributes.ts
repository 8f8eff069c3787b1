import type { Attributes } from '@opentelemetry/api';
import { type SpanAttribute, spanAttributes } from '../../catalogue/spans.ts';
import type { Run } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { OpenEpoch, OpenRun } from './open-run.ts';

/** The status of a run's span. */
export type RunOutcome =
  | { readonly status: 'ok' }
  | { readonly status: 'error'; readonly type: string; readonly message: string };

export function identityAttributes({ identity, labels }: Run, { jobType }: Snapshot['job']): Attributes {
  return toAttributes({
    jobId: identity.jobId,
    jobName: identity.jobId,
    jobType,
    model: labels.modelName,
    dataset: labels.dataset,
    rank: labels.rank,
  });
}

export function epochAttributes({ number, partial, values }: OpenEpoch): Attributes {
  return toAttributes({ epoch: number, partial: partial || undefined, ...resultValues(values) });
}

export function runSpanAttributes(
  { values, partial }: OpenRun,
  { state, progress }: Run,
  outcome: RunOutcome,
): Attributes {
  return toAttributes({
    state,
    runPartial: partial || undefined,
    epoch: progress.epoch,
    batches: progress.batches,
    totalEpochs: values.total_epochs,
    ...resultValues(values),
    errorType: outcome.status === 'error' ? outcome.type : undefined,
  });
}

function resultValues(values: Snapshot['values']) {
  return {
    loss: values.training_loss,
    validationLoss: values.validation_loss,
    accuracy: values.accuracy,
    learningRate: values.learning_rate,
  };
}

/** The error in the file comes first. A loss that is NaN or infinite at the end is an error too. */
export function outcomeOf({ state, latest: { error } }: Run, { nonFiniteLosses }: OpenRun): RunOutcome {
  if (error !== undefined) {
    const message = [error.type, error.message].filter((part) => part !== '').join(': ');
    return { status: 'error', type: error.type || 'training_failed', message };
  }
  if (state === 'failed')
    return { status: 'error', type: 'training_failed', message: 'the status in the file is failed' };
  const [loss] = nonFiniteLosses;
  if (loss === undefined) return { status: 'ok' };
  return { status: 'error', type: 'loss_not_finite', message: `${loss[0]} is ${loss[1]}` };
}

function toAttributes(
  values: { readonly [K in SpanAttribute]?: string | number | boolean | undefined },
): Attributes {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [spanAttributes[key as SpanAttribute].name, value]),
  );
}
