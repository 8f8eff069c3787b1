import { deferred } from '../../../common/timing.ts';

export interface Waiting<T> {
  /** Checks every pending condition again. */
  check(subject: T): void;
  /** Resolves when the condition holds; rejects after `timeoutMs`, or when the condition throws. */
  wait(subject: T, condition: (subject: T) => boolean, what: string, timeoutMs: number): Promise<void>;
  /** Rejects all pending conditions. */
  rejectAll(subject: T, reason: string): void;
}

interface Waiter<T> {
  readonly check: (subject: T) => void;
  readonly reject: (subject: T, reason: string) => void;
}

/** Conditions that are checked again at each event. `arrived` describes what had arrived when one is rejected. */
export function createWaiting<T>(arrived: (subject: T) => string): Waiting<T> {
  const waiters = new Set<Waiter<T>>();
  return {
    check: (subject) => {
      for (const waiter of [...waiters]) waiter.check(subject);
    },
    rejectAll: (subject, reason) => {
      for (const waiter of [...waiters]) waiter.reject(subject, reason);
    },
    wait: (subject, condition, what, timeoutMs) => {
      const { promise, resolve, reject } = deferred<void>();
      const settle = (act: () => void) => {
        clearTimeout(timer);
        waiters.delete(waiter);
        act();
      };
      const waiter: Waiter<T> = {
        check: (now) => {
          try {
            if (condition(now)) settle(resolve);
          } catch (error) {
            settle(() => reject(error));
          }
        },
        reject: (now, reason) =>
          settle(() => reject(new Error(`waited for ${what}, ${reason}; arrived: ${arrived(now)}`))),
      };
      const timer = setTimeout(() => waiter.reject(subject, `not within ${timeoutMs} ms`), timeoutMs);
      waiters.add(waiter);
      waiter.check(subject);
      return promise;
    },
  };
}
