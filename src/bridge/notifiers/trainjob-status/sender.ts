import type { Clock } from '../../../common/clock.ts';
import { pause, settlesWithin, withAbortGrace } from '../../../common/timing.ts';
import { initialPacing, paceAfter } from './pacing.ts';
import { noAnswer, type Post, type PostResult } from './post.ts';
import type { TrainerStatus } from './status.ts';

/** A status, and when it was observed. */
export interface Observed {
  readonly status: TrainerStatus;
  readonly unixMs: number;
}

/** Posts the latest status, one request at a time, in the background. */
export interface StatusSender {
  /**
   * Gives the latest status. It is read only if a post is due, and posted if it differs from what was accepted. The status
   * at the end of a run does not wait for its turn.
   */
  offer(read: () => Observed, urgency: 'regular' | 'end'): void;
  /** Posts the latest status if that was not accepted yet, and waits for it until the deadline of the monotonic clock. */
  close(deadlineMs: number): Promise<'accepted' | 'not accepted'>;
}

export interface StatusSenderOptions {
  readonly post: Post;
  readonly onResult: (result: PostResult) => void;
  readonly clock: Clock;
  readonly requestTimeoutMs: number;
  readonly random?: () => number;
}

/** A run that ends and begins again and again is not posted at each end. */
const minEndIntervalMs = 30_000;

/** The pauses before each repetition while the bridge ends. */
const closingDelaysMs = [500, 1_000, 2_000];

export function createStatusSender({
  post,
  onResult,
  clock,
  requestTimeoutMs,
  random = Math.random,
}: StatusSenderOptions): StatusSender {
  const now = () => clock().monotonicMs;
  let latest: (() => Observed) | undefined;
  let pacing = initialPacing;
  let lastEndMs = Number.NEGATIVE_INFINITY;
  let accepted: string | undefined;
  let inFlight: { readonly text: string; readonly done: Promise<PostResult>; abort(): void } | undefined;

  function start({ status, unixMs }: Observed): Promise<PostResult> {
    // Two posts at once could arrive in the wrong order. The later status contains all that the earlier one does.
    inFlight?.abort();
    const superseded = new AbortController();
    const text = JSON.stringify(status);
    const body = { trainerStatus: { ...status, lastUpdatedTime: new Date(unixMs).toISOString() } };
    const startedMs = now();
    const sent = postWithDeadline(JSON.stringify(body), superseded.signal).then((result) => {
      if (superseded.signal.aborted) return result;
      inFlight = undefined;
      if (result.status === 'ok') accepted = text;
      const nowMs = now();
      pacing = paceAfter(pacing, { result, tookMs: nowMs - startedMs, nowMs }, random());
      onResult(result);
      return result;
    });
    inFlight = { text, done: sent, abort: () => superseded.abort() };
    return sent;
  }

  async function postWithDeadline(body: string, superseded: AbortSignal): Promise<PostResult> {
    const abort = AbortSignal.any([AbortSignal.timeout(requestTimeoutMs), superseded]);
    // A file on a volume that hangs cannot be aborted.
    return (await withAbortGrace(post(body, abort), abort, 0)) ?? { status: 'failed', reason: noAnswer };
  }

  /** Repeats only what may work the next time, because the pod cannot end before. */
  async function deliver(observed: Observed, deadlineMs: number): Promise<boolean> {
    const text = JSON.stringify(observed.status);
    if (accepted === text) return true;
    for (const delayMs of [...closingDelaysMs, undefined]) {
      const sending = inFlight?.text === text ? inFlight.done : start(observed);
      if (!(await settlesWithin(deadlineMs - now(), sending))) return false;
      const { status } = await sending;
      if (status !== 'failed' || delayMs === undefined) return status === 'ok';
      await pause(Math.min(delayMs * (0.5 + random()), deadlineMs - now()));
    }
    return false;
  }

  return {
    offer(read, urgency) {
      latest = read;
      const nowMs = now();
      const isEnd = urgency === 'end' && nowMs - lastEndMs >= minEndIntervalMs;
      if (isEnd) lastEndMs = nowMs;
      else if (inFlight !== undefined || nowMs < pacing.nextMs) return;
      const observed = read();
      if (JSON.stringify(observed.status) !== accepted) void start(observed);
    },
    async close(deadlineMs) {
      const isDelivered = latest === undefined || (await deliver(latest(), deadlineMs));
      inFlight?.abort();
      return isDelivered ? 'accepted' : 'not accepted';
    },
  };
}
