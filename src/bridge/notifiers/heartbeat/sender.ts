import { pause, settlesWithin, withAbortGrace } from '../../../common/timing.ts';
import type { Ping, PingResult } from './ping.ts';
import type { HeartbeatSignal } from './signals.ts';

/** Sends signals one after the other, in the background. */
export interface SignalSender {
  push(signal: HeartbeatSignal): void;
  /** Waits for what is pending, at most this long; then it is abandoned. */
  close(waitMs: number): Promise<void>;
}

export interface HeartbeatSenderOptions {
  readonly ping: Ping;
  readonly onResult: (signal: HeartbeatSignal, result: PingResult) => void;
  readonly requestTimeoutMs: number;
  /** The pauses before each repetition of a request that failed. */
  readonly retryDelaysMs: readonly number[];
}

/** Signals of a run that restarts again and again while the monitor cannot be reached; the oldest are dropped. */
const maxPending = 8;

/** The pause before a repetition while the bridge ends. */
const closingDelayMs = 250;

export function createHeartbeatSender({
  ping,
  onResult,
  requestTimeoutMs,
  retryDelaysMs,
}: HeartbeatSenderOptions): SignalSender {
  const pending: HeartbeatSignal[] = [];
  const closing = new AbortController();
  const abandoned = new AbortController();
  let draining: Promise<void> | undefined;

  async function drain(): Promise<void> {
    for (let signal = pending.shift(); signal !== undefined; signal = pending.shift()) await deliver(signal);
    draining = undefined;
  }

  async function deliver(signal: HeartbeatSignal): Promise<void> {
    for (const delayMs of [...retryDelaysMs, undefined]) {
      if (abandoned.signal.aborted) return;
      const result = await pingWithDeadline(signal);
      onResult(signal, result);
      const isSuperseded = signal.kind === 'beat' && pending.length > 0;
      if (result.status !== 'failed' || isSuperseded || delayMs === undefined) return;
      if (closing.signal.aborted) await pause(closingDelayMs, abandoned.signal);
      else await pause(delayMs, closing.signal);
    }
  }

  async function pingWithDeadline(signal: HeartbeatSignal): Promise<PingResult> {
    const abort = AbortSignal.any([AbortSignal.timeout(requestTimeoutMs), abandoned.signal]);
    // A file on a volume that hangs cannot be aborted.
    return (
      (await withAbortGrace(ping(signal, abort), abort, 0)) ?? {
        status: 'failed',
        reason: 'no answer in time',
      }
    );
  }

  return {
    push(signal) {
      // The next beat follows within a minute, and must not wait behind signals that cannot be sent.
      if (signal.kind === 'beat' && draining !== undefined) return;
      pending.push(signal);
      if (pending.length > maxPending) pending.shift();
      draining ??= drain();
    },
    async close(waitMs) {
      closing.abort();
      if (draining !== undefined) await settlesWithin(waitMs, draining);
      abandoned.abort();
    },
  };
}
