import { deferred } from '../common/timing.ts';
export interface FlushOptions {
  /** How long to wait; 5000 ms if not given. */
  readonly timeoutMs?: number;
}

export type FlushResult =
  | { readonly status: 'ok' }
  /** Some spans did not arrive. */
  | { readonly status: 'failed'; readonly reason: string }
  /** Not known: the wait was over first. */
  | { readonly status: 'timeout' };

/** Waits for work that tracing does, as long as the application can wait. Never rejects. */
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

/** The provider rejects with a list of what went wrong. */
function reasonOf(error: unknown): string {
  const first = Array.isArray(error) ? error[0] : error;
  return first instanceof Error ? first.message : String(first);
}
