import { deferred } from '../../../common/timing.ts';
export interface Waiting<T> {
  /** Looks at every pending condition again. */
  check(subject: T): void;
  /** Resolves when the condition holds; rejects after `timeoutMs`, or when the condition throws. */
  wait(subject: T, condition: (subject: T) => boolean, what: string, timeoutMs: number): Promise<void>;
  /** Rejects all that still wait. */
  abandon(subject: T, reason: string): void;
}

interface Waiter<T> {
  readonly look: (subject: T) => void;
  readonly giveUp: (subject: T, reason: string) => void;
}

/** Conditions that are re-evaluated whenever something happens. `arrived` tells what there was when one is given up. */
export function createWaiting<T>(arrived: (subject: T) => string): Waiting<T> {
  const waiters = new Set<Waiter<T>>();
  return {
    check: (subject) => {
      for (const waiter of [...waiters]) waiter.look(subject);
    },
    abandon: (subject, reason) => {
      for (const waiter of [...waiters]) waiter.giveUp(subject, reason);
    },
    wait: (subject, condition, what, timeoutMs) => {
      const { promise, resolve, reject } = deferred<void>();
      const settle = (act: () => void) => {
        clearTimeout(timer);
        waiters.delete(waiter);
        act();
      };
      const waiter: Waiter<T> = {
        look: (now) => {
          try {
            if (condition(now)) settle(resolve);
          } catch (error) {
            settle(() => reject(error));
          }
        },
        giveUp: (now, reason) =>
          settle(() => reject(new Error(`waited for ${what}, ${reason}; arrived: ${arrived(now)}`))),
      };
      const timer = setTimeout(() => waiter.giveUp(subject, `${timeoutMs} ms in vain`), timeoutMs);
      waiters.add(waiter);
      waiter.look(subject);
      return promise;
    },
  };
}
