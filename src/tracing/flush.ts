import { deferred } from '../common/timing.ts';

export interface FlushOptions {
  /** Maximum time to wait, in milliseconds. Default: 5000. */
  readonly timeoutMs?: number;
}

export type FlushResult =
  | { readonly status: 'ok' }
  /** At least one span was not delivered. */
  | { readonly status: 'failed'; readonly reason: string }
  /** The result is not known, because the timeout passed first. */
  | { readonly status: 'timeout' };

/** Waits for a flush or shutdown until the timeout. Never rejects. */
export async function flushWithin(
  work: Promise<unknown>,
  { timeoutMs = 5000 }: FlushOptions = {},
): Promise<FlushResult> {
  const { promise: late, resolve } = deferred<FlushResult>();
  const timer = setTimeout(() => resolve({ status: 'timeout' }), timeoutMs);
  const done = work.then(
    (): FlushResult => ({ status: 'ok' }),
    (error: unknown): FlushResult => ({ status: 'failed', reason: reasonOf(error) }),
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The provider rejects with a list of errors. */
function reasonOf(error: unknown): string {
  const first = Array.isArray(error) ? error[0] : error;
  return first instanceof Error ? first.message : String(first);
}
