import { type PollFailure, pollOutcomes } from '../catalogue/outcomes.ts';
import type { Conditions, Level, Logger } from '../common/logger.ts';
import { isLowerBound } from '../run/progress.ts';
import type { Run, RunEvent } from '../run/run.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { Poll, PollOutcome } from '../snapshot/source.ts';
import { createMissingFileWarning } from './missing-file-warning.ts';

/** Writes what polls and run events show to the log. Metrics count them elsewhere. */
export interface EventLog {
  polled(poll: Poll): void;
  runEvent(event: RunEvent): void;
  /** Call it if the run ended long ago and the bridge does not know whether it has to exit. */
  outlivesRun(): void;
}

type Failure = Extract<PollOutcome, { status: PollFailure }>;

interface LogLine {
  readonly level: Level;
  readonly message: string;
}

const maxNames = 10;

export interface EventLogOptions {
  readonly log: Logger;
  readonly conditions: Conditions;
  /** Of the metrics file. */
  readonly path: string;
  /** Of this process in its job; undefined if the job has no ranks. */
  readonly rank: number | undefined;
}

export function createEventLog({ log, conditions, path, rank = 0 }: EventLogOptions): EventLog {
  let lasting: PollFailure | undefined;
  let seen = false;
  const reportSkipped = createSkipReport(conditions);
  const warnIfMissing = createMissingFileWarning({ log, path });

  function logFailure(outcome: Failure): void {
    if (lasting !== undefined && lasting !== outcome.status) conditions.replace(lasting);
    lasting = outcome.status;
    const { level, message } =
      outcome.status === 'missing' ? missingLine() : pollOutcomes[outcome.status].log;
    if (outcome.status === 'missing' && !seen && outcome.onlyWriterUid !== undefined)
      conditions.raise(
        'one_writer',
        'info',
        { path, reason: outcome.reason },
        'Only one user can write to the folder of the metrics file: if the training runs as another, set mode 0777',
      );
    conditions.raise(outcome.status, level, { path, reason: outcome.reason }, message);
  }

  /** A rank other than 0 logs at the default level why it exports no values. */
  function missingLine(): LogLine {
    if (seen) return { level: 'warn', message: 'Metrics file is gone' };
    const { level, message } = pollOutcomes.missing.log;
    return { level: rank === 0 ? level : 'info', message };
  }

  return {
    polled(poll) {
      const { outcome, skipped = [], logLimit } = poll;
      conditions.flush();
      // Usually only rank 0 writes a file.
      if (rank === 0) warnIfMissing(poll);
      for (const { reason, count, message } of skipped)
        conditions.raise(
          `records_skipped:${reason}`,
          'warn',
          { path, count, reason: message },
          'Records of the log are skipped',
        );
      if (logLimit === undefined) conditions.clear('log_limit', 'All logs are looked at again', { path });
      else
        conditions.raise(
          'log_limit',
          'warn',
          { path, limit: logLimit },
          'There are more logs than the limit: some are not looked at, and the newest may be one of them. Choose a folder or a pattern with fewer logs',
        );
      if (outcome.status !== 'ok' && outcome.status !== 'unchanged') return logFailure(outcome);
      // The line 'Training run began' already says that a file has appeared.
      if (lasting === 'missing' && !seen) conditions.discard(lasting);
      else if (lasting !== undefined) {
        conditions.clear(lasting, 'Metrics file is readable again', { path, before: lasting });
      }
      seen = true;
      lasting = undefined;
      if (outcome.status === 'ok') for (const { snapshot } of outcome.snapshots) reportSkipped(snapshot);
    },
    runEvent: (event) => logEvent(log, conditions, event),
    outlivesRun: () =>
      conditions.raise(
        'outlives_run',
        'warn',
        {},
        'The run ended 10 minutes ago and the bridge still runs: in an ordinary container of a Kubernetes Job set SIDECAR_MODE=container, because the Job cannot complete before; otherwise set SIDECAR_MODE=native',
      ),
  };
}

/** One line for each known field, so that a field that is always skipped does not hide the next; one for all others. */
function createSkipReport(conditions: Conditions): (snapshot: Snapshot) => void {
  let before = new Set<string>();
  return ({ skipped }) => {
    const known = new Map(skipped.filter((it) => it.known).map(({ field, reason }) => [field, reason]));
    for (const [field, reason] of known) {
      conditions.raise(`skipped:${field}`, 'warn', { field, reason }, 'Field of the metrics file is skipped');
    }
    for (const field of before) {
      if (!known.has(field)) conditions.clear(`skipped:${field}`, 'Field is valid again', { field });
    }
    before = new Set(known.keys());
    const others = skipped.filter((it) => !it.known);
    if (others.length === 0)
      return conditions.clear('extras_skipped', 'No unknown fields are skipped any more');
    const fields = Object.fromEntries(
      others.slice(0, maxNames).map((it) => [it.field.slice(0, 64), it.reason]),
    );
    const details = { fields, count: others.length };
    conditions.raise('extras_skipped', 'warn', details, 'Unknown fields of the metrics file are skipped');
  };
}

function logEvent(log: Logger, conditions: Conditions, event: RunEvent): void {
  switch (event.kind) {
    case 'run_began':
      for (const ofPreviousRun of ['non_finite:', 'too_many', 'two_writers'])
        conditions.discard(ofPreviousRun);
      return log.info(describeRun(event.run), 'Training run began');
    case 'earlier_run':
      return log.info(
        { ...describeRun(event.run), fileAgeSeconds: Math.round(event.ageMs / 1000) },
        'Metrics file was written before the bridge started: it belongs to an earlier run until it is written again',
      );
    case 'run_ended': {
      const { run, reason } = event;
      const level = run.state === 'failed' ? 'warn' : 'info';
      return log[level](
        { ...describeRun(run), reason, error: run.latest.error },
        `Training run ${run.state}`,
      );
    }
    case 'epoch_ended':
      return log.debug({ epoch: event.epoch, ...event.run.latest.values }, 'Epoch ended');
    case 'became_non_finite':
      return conditions.raise(
        `non_finite:${event.field}`,
        'warn',
        { field: event.field, value: String(event.value) },
        'Value is NaN or infinite',
      );
    case 'became_finite':
      return conditions.clear(`non_finite:${event.field}`, 'Value is finite again', {
        field: event.field,
      });
    case 'went_stale':
      return log.warn('Metrics file is stale: its gauges are no longer exported');
    case 'became_fresh':
      return log.info('Metrics file is fresh again');
    case 'stalled':
      return log.warn('Training run stalled: the step has not advanced');
    case 'resumed':
      return log.info('Training run resumed');
    case 'run_rewound':
      return log.info(
        { step: event.step, from: event.from },
        `Training resumed at step ${event.step}, was ${event.from}`,
      );
    case 'counts_from_zero':
      return log.info('Batches of this run are counted from 0: one is added for each epoch, past ones too');
    case 'extras_refused': {
      const { names } = event;
      const details = { names: names.slice(0, maxNames), count: names.length };
      return conditions.raise(
        'too_many',
        'warn',
        details,
        'More extra metrics than MAX_EXTRA_METRICS: these are skipped',
      );
    }
    case 'identity_changes': {
      const fields = event.fields.join(' and ');
      return conditions.raise(
        'identity_changes',
        'error',
        { fields: event.fields },
        `Every write of the metrics file has another ${fields}: one run goes on with the first; write the same ${fields} for the whole run`,
      );
    }
    case 'two_writers':
      return conditions.raise(
        'two_writers',
        'error',
        { ...event.other },
        'Two jobs write the same metrics file: snapshots of the older job are skipped; give each job its own file',
      );
  }
}

function describeRun({ identity, labels, progress, state }: Run) {
  const startTime =
    identity.startTimeMs === undefined ? undefined : new Date(identity.startTimeMs).toISOString();
  return {
    jobId: identity.jobId,
    startTime,
    ...labels,
    state,
    epoch: progress.epoch,
    [isLowerBound(progress) ? 'batchesAtLeast' : 'batches']: progress.batches,
  };
}
