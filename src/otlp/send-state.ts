import type { ExportOutcome } from './classify-response.ts';

/** How the next export is made, from the answers so far. */
export interface SendState {
  /** The most requests in one export. */
  readonly limit: number;
  /** How many of the oldest requests are sent after the newer ones, because only newer ones were accepted. */
  readonly postponed: number;
  /** Since when the first of the others has been answered with "later" only, in monotonic milliseconds. */
  readonly laterSinceMs: number | undefined;
}

/** What to do with the requests that were exported. */
export type SendAction =
  /** They were accepted, or are dropped. */
  | 'acknowledge'
  /** Fewer of them are exported at once. */
  | 'split'
  /** They are exported again after a pause. */
  | 'wait'
  /** The next request is exported, because this one was answered with "later" for too long. */
  | 'bypass';

export const initialSendState: SendState = {
  limit: Number.POSITIVE_INFINITY,
  postponed: 0,
  laterSinceMs: undefined,
};

/**
 * Applies the answer to one export.
 *
 * @param count requests in the export
 * @param patienceMs how long a request is answered with "later" until the next one may try
 */
export function applyOutcome(
  state: SendState,
  outcome: ExportOutcome,
  count: number,
  nowMs: number,
  patienceMs: number,
): { readonly state: SendState; readonly action: SendAction } {
  const halved = Math.max(1, Math.floor(count / 2));
  if (outcome.status === 'split') return { state: { ...state, limit: halved }, action: 'split' };
  if (outcome.status !== 'retry')
    return { state: { ...state, limit: state.limit * 2, laterSinceMs: undefined }, action: 'acknowledge' };
  // If there was no answer, the request cannot be the reason.
  if (outcome.cause === 'no_answer' || outcome.cause === 'no_credentials')
    return { state: { ...state, laterSinceMs: undefined }, action: 'wait' };
  const laterSinceMs = state.laterSinceMs ?? nowMs;
  const waited = { ...state, laterSinceMs };
  if (nowMs - laterSinceMs < patienceMs) return { state: waited, action: 'wait' };
  return count > 1
    ? { state: { ...waited, limit: halved }, action: 'wait' }
    : { state: waited, action: 'bypass' };
}

/** Call it when a newer request was accepted while the first one was not. */
export const postponeFirst = (state: SendState): SendState => ({
  ...state,
  postponed: state.postponed + 1,
  laterSinceMs: undefined,
});
