import { settlesWithin } from '../../common/timing.ts';

/** Calls to a disk that may hang, one at a time. */
export interface DiskCalls {
  /** Makes a call after all earlier ones, whether they succeeded or not. */
  enqueue(call: () => Promise<void>): void;
  /** Whether a promise settles before the disk counts as hanging. If not, this is reported. */
  isInTime(promise: Promise<unknown>): Promise<boolean>;
  /** Resolves when all calls so far have returned. */
  settled(): Promise<void>;
  /** Whether a call that was reported has not returned yet. While there is one, nobody waits for the disk. */
  readonly hangs: boolean;
}

export const longestHangMs = 5_000;

/** @param onHang called once for each call that hangs */
export function createDiskCalls(onHang: (error: Error) => void): DiskCalls {
  let last: Promise<void> = Promise.resolve();
  let hanging = 0;

  async function isInTime(promise: Promise<unknown>): Promise<boolean> {
    const isDone = await settlesWithin(longestHangMs, promise);
    if (isDone) return true;
    hanging += 1;
    const returned = () => {
      hanging -= 1;
    };
    promise.then(returned, returned);
    onHang(new Error(`it has not answered for ${longestHangMs / 1000} s`));
    return false;
  }

  async function waitFor(call: Promise<void>): Promise<void> {
    await isInTime(call);
    await call;
  }

  return {
    enqueue(call) {
      last = last.then(() => waitFor(call())).catch(() => undefined);
    },
    isInTime,
    settled: () => last,
    get hangs() {
      return hanging > 0;
    },
  };
}
