import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after `ms`, or at once when the signal is aborted; never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await sleep(Math.max(0, ms), undefined, signal ? { signal } : {}).catch(() => undefined);
}

/** Whether a promise settled in time; a rejection is passed on. What is late goes on behind. */
export async function settlesWithin(ms: number, promise: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = pause(ms, timer.signal).then(() => false);
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    timer.abort();
    // Nobody waits for it any more where it was late.
    promise.catch(() => undefined);
  }
}

/** What a promise gives; undefined where it is still pending `ms` after the signal was aborted. It goes on behind then. */
export async function withAbortGrace<T>(
  promise: Promise<T>,
  signal: AbortSignal,
  ms: number,
): Promise<T | undefined> {
  const { promise: hung, resolve } = deferred<undefined>();
  let timer: NodeJS.Timeout | undefined;
  // By hand, because an AbortController and its error for each poll are a twentieth of what a poll costs.
  const wait = () => {
    timer = setTimeout(resolve, ms, undefined);
  };
  if (signal.aborted) wait();
  else signal.addEventListener('abort', wait, { once: true });
  try {
    return await Promise.race([promise, hung]);
  } finally {
    signal.removeEventListener('abort', wait);
    clearTimeout(timer);
    promise.catch(() => undefined);
  }
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

/** `Promise.withResolvers`, which Node 20 does not have: the bundle is started with whatever Node is there. */
export function deferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...(settle as unknown as Pick<Deferred<T>, 'resolve' | 'reject'>) };
}
