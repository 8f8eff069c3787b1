import type { Attributes } from '@opentelemetry/api';
import { type SpanAttribute, spanAttributes } from '../../catalogue/spans.ts';
import type { Run } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { OpenEpoch, OpenRun } from './open-run.ts';

/** How a run ended: with an error or without. */
export type RunOutcome =
  | { readonly status: 'ok' }
  | { readonly status: 'error'; readonly type: string; readonly message: string };

export function identityAttributes({ identity, labels }: Run, { jobType }: Snapshot['job']): Attributes {
  return named({
    jobId: identity.jobId,
    jobName: identity.jobId,
    jobType,
    model: labels.modelName,
    dataset: labels.dataset,
    rank: labels.rank,
  });
}

export function epochAttributes({ number, partial, values }: OpenEpoch): Attributes {
  return named({ epoch: number, partial: partial || undefined, ...results(values) });
}

export function runSpanAttributes(
  { values }: OpenRun,
  { state, progress }: Run,
  verdict: RunOutcome,
): Attributes {
  return named({
    state,
    epoch: progress.epoch,
    batches: progress.batches,
    totalEpochs: values.total_epochs,
    ...results(values),
    errorType: verdict.status === 'error' ? verdict.type : undefined,
  });
}

function results(values: Snapshot['values']) {
  return {
    loss: values.training_loss,
    validationLoss: values.validation_loss,
    accuracy: values.accuracy,
    learningRate: values.learning_rate,
  };
}

/** What the file says of an error comes first; a loss that is not finite is one although nobody says so. */
export function outcomeOf({ state, latest: { error } }: Run, { notFinite }: OpenRun): RunOutcome {
  if (error !== undefined) {
    const message = [error.type, error.message].filter((part) => part !== '').join(': ');
    return { status: 'error', type: error.type || 'training_failed', message };
  }
  if (state === 'failed')
    return { status: 'error', type: 'training_failed', message: 'the file says that the run has failed' };
  const [loss] = notFinite;
  if (loss === undefined) return { status: 'ok' };
  return { status: 'error', type: 'loss_not_finite', message: `${loss[0]} is ${loss[1]}` };
}

function named(
  values: { readonly [K in SpanAttribute]?: string | number | boolean | undefined },
): Attributes {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    entries.map(([key, value]) => [spanAttributes[key as SpanAttribute].name, value]),
  );
}
