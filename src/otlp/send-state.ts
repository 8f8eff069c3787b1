import type { ExportOutcome } from './classify-response.ts';

/** What the answers so far say about how to go on. */
export interface SendState {
  /** The most requests in one export. */
  readonly limit: number;
  /** How many of the oldest requests go behind the newer ones, because only those were accepted. */
  readonly postponed: number;
  /** Since when the first of the others has been answered with "later" only, in monotonic milliseconds. */
  readonly laterSinceMs: number | undefined;
}

/** What to do with the requests that were exported. */
export type Step =
  /** They were accepted, or are dropped. */
  | 'acknowledge'
  /** Fewer of them, at once. */
  | 'split'
  /** The same again, after a pause. */
  | 'wait'
  /** The next one may try, because this one has had its time. */
  | 'bypass';

export const initialSendState: SendState = {
  limit: Number.POSITIVE_INFINITY,
  postponed: 0,
  laterSinceMs: undefined,
};

/**
 * Decides by the answer to one export.
 *
 * @param count requests in the export
 * @param patienceMs how long a request is answered with "later" until the next one may try
 */
export function decide(
  state: SendState,
  outcome: ExportOutcome,
  count: number,
  nowMs: number,
  patienceMs: number,
): { readonly state: SendState; readonly step: Step } {
  const halved = Math.max(1, Math.floor(count / 2));
  if (outcome.status === 'split') return { state: { ...state, limit: halved }, step: 'split' };
  if (outcome.status !== 'retry')
    return { state: { ...state, limit: state.limit * 2, laterSinceMs: undefined }, step: 'acknowledge' };
  // No request can be the reason that there was no answer.
  if (outcome.cause === 'no_answer' || outcome.cause === 'no_credentials')
    return { state: { ...state, laterSinceMs: undefined }, step: 'wait' };
  const laterSinceMs = state.laterSinceMs ?? nowMs;
  const waited = { ...state, laterSinceMs };
  if (nowMs - laterSinceMs < patienceMs) return { state: waited, step: 'wait' };
  return count > 1
    ? { state: { ...waited, limit: halved }, step: 'wait' }
    : { state: waited, step: 'bypass' };
}

/** After a newer request was accepted that the first one had let pass. */
export const postponeFirst = (state: SendState): SendState => ({
  ...state,
  postponed: state.postponed + 1,
  laterSinceMs: undefined,
});
