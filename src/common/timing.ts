import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms`, or at once when the signal is aborted; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), undefined, signal ? { signal } : {}).catch(() => undefined);
}

/**
 * Whether a promise settles within `ms`; a rejection is passed on. A promise that takes longer continues in the
 * background. Uses a plain timer: an AbortController and its error would add 5% to the cost of each poll.
 */
export async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const { promise: late, resolve } = deferred<false>();
  const timer = setTimeout(resolve, Math.max(0, ms), false);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
    ignoreRejection(promise);
  }
}

/** The result of a promise; undefined if it is still pending `ms` after the signal was aborted. It then continues in the background. */
export async function withAbortGrace<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  ms: number,
): Promise<T | undefined> {
  const { promise: late, resolve } = deferred<undefined>();
  let timer: NodeJS.Timeout | undefined;
  const startTimer = () => {
    timer = setTimeout(resolve, ms, undefined);
  };
  if (signal.aborted) startTimer();
  else signal.addEventListener('abort', startTimer, { once: true });
  try {
    return await Promise.race([promise, late]);
  } finally {
    signal.removeEventListener('abort', startTimer);
    clearTimeout(timer);
    ignoreRejection(promise);
  }
}

/** Without this, a promise that rejects after its deadline would end the process. */
function ignoreRejection(promise: Promise<unknown>): void {
  promise.catch(() => undefined);
}

/** Resolves when the signal is aborted. */
export async function whenAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** `Promise.withResolvers`, which Node 20 does not have; the bundle also runs on Node 20. */
export function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as unknown as Pick<Deferred<T>, 'resolve' | 'reject'>) };
}
