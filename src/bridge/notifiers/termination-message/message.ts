import { shorten } from '../../../common/shorten.ts';
import type { Run, Transition } from '../../../run/run.ts';
import type { FinalSummary } from '../notifier.ts';

type LossField = 'training_loss' | 'validation_loss';

/** The present run, and what has to be noted while it runs. */
export interface RunRecord {
  readonly run: Run | undefined;
  /** The lowest finite value of each loss in this run. */
  readonly best: Readonly<Partial<Record<LossField, number>>>;
}

export const emptyRecord: RunRecord = { run: undefined, best: {} };

export function advanceRecord({ best }: RunRecord, { run, events }: Transition): RunRecord {
  const isNew = events.some(({ kind }) => kind === 'run_began');
  const values = run === undefined || run.state === 'waiting' ? {} : run.latest.values;
  const before = isNew ? {} : best;
  return { run, best: { ...before, ...lower('training_loss'), ...lower('validation_loss') } };

  function lower(field: LossField) {
    const value = values[field];
    return value === undefined ? {} : { [field]: Math.min(value, before[field] ?? value) };
  }
}

/** Kubernetes keeps this many bytes of a container's termination message. */
const maxBytes = 4096;

/** Maximum length of each text, in characters; the last one always fits. */
const textLimits = [1000, 300, 100];

/** The summary of a run as one line of JSON, at most 4 KiB. */
export function terminationMessage(record: RunRecord, summary: FinalSummary): string {
  const [message = ''] = textLimits
    .map((limit) => JSON.stringify(content(record, summary, (text) => text && shorten(text, limit))))
    .filter((text) => Buffer.byteLength(text) <= maxBytes);
  return message;
}

function content(
  { run, best }: RunRecord,
  { undelivered, traceId }: FinalSummary,
  limited: (text: string | undefined) => string | undefined,
) {
  if (run === undefined || run.state === 'waiting') return { state: 'waiting', undelivered };
  const { progress, latest, nonFinite } = run;
  return {
    state: run.state,
    jobId: limited(run.identity.jobId),
    rank: run.labels.rank,
    epoch: progress.epoch,
    batches: progress.batches,
    trainingLoss: lossOf(run, 'training_loss'),
    bestTrainingLoss: best.training_loss,
    validationLoss: lossOf(run, 'validation_loss'),
    bestValidationLoss: best.validation_loss,
    nonFiniteValues: [...nonFinite.values()].reduce((sum, count) => sum + count, 0),
    undelivered,
    traceId,
    error: latest.error && { type: limited(latest.error.type), message: limited(latest.error.message) },
  };
}

/** JSON has no NaN, so one is written as text. */
function lossOf({ latest }: Run, field: LossField): number | string | undefined {
  return latest.values[field] ?? latest.nonFinite.get(field)?.toString();
}
