import { dropReasons, retryCauses, sendOutcomes } from '../catalogue/outcomes.ts';
import type { Conditions } from '../common/logger.ts';
import type { Problem } from '../common/setting.ts';
import type { Config } from '../config/bridge.ts';
import type { ExportOutcome } from '../otlp/classify-response.ts';

/** Logs the result of an export: a failure when it begins and when it is over. */
export function logOutcome(
  conditions: Conditions,
  outcome: ExportOutcome,
  config: Pick<Config, 'endpoint'>,
  waiting: number,
): void {
  const endpoint = config.endpoint.target;
  switch (outcome.status) {
    case 'success':
      conditions.clearAll('retry', sendOutcomes.retry.over, { endpoint });
      conditions.clear('rejected', sendOutcomes.rejected.over, { endpoint });
      for (const [reason, row] of Object.entries(dropReasons))
        if ('over' in row) conditions.clear(reason, row.over);
      if (outcome.partialSuccess !== undefined)
        conditions.raise(
          'partial_success',
          'warn',
          { endpoint, points: outcome.partialSuccess.rejected, reason: outcome.partialSuccess.reason },
          'Collector accepted an export but not all of its points; it may be the same with each',
        );
      return;
    case 'retry': {
      const { cause, reason, advice } = outcome;
      const { level, message } = retryCauses[cause].log;
      return conditions.raise(retryCondition(outcome), level, { endpoint, reason, advice, waiting }, message);
    }
    case 'split':
      return;
    case 'rejected': {
      const { level, message } = sendOutcomes.rejected.log;
      return conditions.raise('rejected', level, { endpoint, reason: outcome.reason }, message);
    }
  }
}

/** A cause that becomes known during an outage gets a log line of its own. */
function retryCondition({ cause, reason, advice }: Extract<ExportOutcome, { status: 'retry' }>): string {
  if (advice !== undefined) return `retry: ${reason}`;
  return cause === 'no_answer' ? 'retry' : `retry: ${cause}`;
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
