import type { Conditions } from '../../../common/logger.ts';
import type { TrainJobStatusConfig } from '../../../config/trainjob-status.ts';
import type { Notifier, NotifierOptions } from '../notifier.ts';
import { explainProblem, type PostProblem } from './explain-problem.ts';
import { createPost, type PostResult } from './post.ts';
import { createStatusSender } from './sender.ts';
import { trainerStatusOf } from './status.ts';

/** Longer than the controller's own limit of 10 s, so that an answer which is only slow still counts. */
const requestTimeoutMs = 15_000;

/** Posts how the run is to the status of its Kubeflow TrainJob. In a job of several ranks only rank 0 does. */
export function createTrainJobStatus(
  config: TrainJobStatusConfig,
  { clock, log, conditions, version }: NotifierOptions,
): Notifier {
  const sender = createStatusSender({
    post: createPost(config, `ml-metrics-bridge/${version}`),
    onResult: (result) => logPost(conditions, result),
    clock,
    requestTimeoutMs,
  });
  return {
    follow({ run, events }, { unixMs }) {
      if (run === undefined || run.state === 'waiting' || (run.labels.rank ?? 0) !== 0) return;
      const isOver = run.state !== 'running' && run.state !== 'stalled';
      const hasEnded = isOver && events.some(({ kind }) => kind === 'run_ended');
      sender.offer(() => ({ status: trainerStatusOf(run), unixMs }), hasEnded ? 'end' : 'regular');
    },
    async close(_summary, deadlineMonotonicMs) {
      const last = await sender.close(deadlineMonotonicMs);
      if (last === 'not accepted') log.warn('The last TrainJob status was not posted in time');
    },
  };
}

function logPost(conditions: Conditions, result: PostResult): void {
  if (result.status === 'ok')
    return conditions.clearAll('trainjob_status', 'TrainJob status is posted again');
  const { kind, message } = explainProblem(result);
  conditions.raise(`trainjob_status_${kind}`, 'warn', detailsOf(result), message);
}

function detailsOf(result: PostProblem): Record<string, unknown> {
  if (result.status !== 'rejected') return { reason: result.reason };
  return { reason: `HTTP status ${result.httpStatus}`, ...(result.detail && { detail: result.detail }) };
}
