import { dropReasons, retryCauses, sendOutcomes } from '../catalogue/outcomes.ts';
import type { Conditions, Level } from '../common/logger.ts';
import type { Problem } from '../common/setting.ts';
import type { ExportOutcome, RetryCause } from '../otlp/classify-response.ts';

/** The log lines of one signal's exports. */
export interface ExportMessages {
  /** Start of the names of the conditions, so that each signal has its own. */
  readonly prefix: string;
  readonly noun: 'points' | 'spans';
  readonly retry: (cause: RetryCause) => ExportLog;
  readonly retryOver: string;
  readonly rejected: ExportLog;
  readonly rejectedOver: string;
}

interface ExportLog {
  readonly level: Level;
  readonly message: string;
}

export const metricsMessages: ExportMessages = {
  prefix: '',
  noun: 'points',
  retry: (cause) => retryCauses[cause].log,
  retryOver: sendOutcomes.retry.over,
  rejected: sendOutcomes.rejected.log,
  rejectedOver: sendOutcomes.rejected.over,
};

export interface ExportContext {
  readonly conditions: Conditions;
  readonly endpoint: string;
  /** Requests in the queue. */
  readonly waiting: number;
}

/** Logs the result of an export: a failure when it begins and when it is over. */
export function logOutcome(outcome: ExportOutcome, messages: ExportMessages, context: ExportContext): void {
  const { prefix, rejected } = messages;
  const { conditions, endpoint, waiting } = context;
  switch (outcome.status) {
    case 'success':
      return logSuccess(outcome, messages, context);
    case 'retry': {
      const { cause, reason, advice } = outcome;
      const { level, message } = messages.retry(cause);
      const details = { endpoint, reason, advice, waiting };
      return conditions.raise(`${prefix}${retryCondition(outcome)}`, level, details, message);
    }
    case 'split':
      return;
    case 'rejected': {
      const details = { endpoint, reason: outcome.reason };
      return conditions.raise(`${prefix}rejected`, rejected.level, details, rejected.message);
    }
  }
}

function logSuccess(
  { partialSuccess }: Extract<ExportOutcome, { status: 'success' }>,
  { prefix, noun, retryOver, rejectedOver }: ExportMessages,
  { conditions, endpoint }: ExportContext,
): void {
  conditions.clearAll(`${prefix}retry`, retryOver, { endpoint });
  conditions.clear(`${prefix}rejected`, rejectedOver, { endpoint });
  if (partialSuccess === undefined) return;
  const details = { endpoint, [noun]: partialSuccess.rejected, reason: partialSuccess.reason };
  const message = `Collector accepted a request but rejected some of its ${noun}; this may happen with every request`;
  conditions.raise(`${prefix}partial success`, 'warn', details, message);
}

/** A cause that becomes known during an outage gets a log line of its own. */
function retryCondition({ cause, reason, advice }: Extract<ExportOutcome, { status: 'retry' }>): string {
  if (advice !== undefined) return `retry: ${reason}`;
  return cause === 'no_answer' ? 'retry' : `retry: ${cause}`;
}

/** Logs that the queue has room again. Call it after a successful export. */
export function clearDropReasons(conditions: Conditions): void {
  for (const [reason, row] of Object.entries(dropReasons))
    if ('over' in row) conditions.clear(reason, row.over);
}

/** Logs the problems of the credential files after each read; none means that all of them can be read. */
export function logCredentials(conditions: Conditions, problems: readonly Problem[]): void {
  if (problems.length === 0) return conditions.clear('credentials', 'Credentials can be read again');
  const details = { problems: problems.map(({ message }) => message) };
  conditions.raise(
    'credentials',
    'error',
    details,
    'Credentials cannot be read: the previous ones stay in use',
  );
}
