import type { Clock } from '../common/clock.ts';
import type { Random } from '../common/jitter.ts';
import type { ExportRequest } from './export-request.ts';

/** Whether a request may wait for those that follow it. */
export type Urgency = 'at_once' | 'may_wait';

export interface SendIntervalOptions {
  /** The shortest time between two exports of snapshots; 0 sends each at once. */
  readonly intervalMs: number;
  /** When this many requests or bytes are held, they are sent. */
  readonly limits: { readonly requests: number; readonly bytes: number };
  /** The first interval after a pause, or after an event, is shorter by up to this time. */
  readonly spreadMs: number;
  readonly clock: Clock;
  readonly random: Random;
  /** Called when the requests that are held have to be sent. */
  readonly onEnd: () => void;
}

/** Holds back requests after an export, so that those of one interval are sent together. */
export interface SendInterval {
  /** Returns whether a request that was just queued is held. If not, all requests in the queue have to be sent. */
  hold(request: ExportRequest, urgency: Urgency): boolean;
  /** Starts the interval, unless only heartbeats are sent. Requests that were held are sent with the others. */
  sending(requests: readonly ExportRequest[]): void;
  /** Stops the timer. */
  stop(): void;
  /** How many requests are held. */
  readonly held: number;
}

/**
 * A request this close to the end of the interval ends the interval and counts as being in rhythm. If polls have the length of the interval or
 * divide it, the poll at the end and the timer would otherwise wake the process twice.
 */
const toleranceShare = 0.05;

export function createSendInterval(options: SendIntervalOptions): SendInterval {
  const { intervalMs, limits, spreadMs, clock, random, onEnd } = options;
  const toleranceMs = intervalMs * toleranceShare;
  let held: ExportRequest[] = [];
  let heldBytes = 0;
  let endMs = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  function release(): void {
    clearTimeout(timer);
    timer = undefined;
    held = [];
    heldBytes = 0;
  }

  function add(request: ExportRequest): void {
    // The queue replaces a heartbeat, too.
    if (held.at(-1)?.kind === 'heartbeat') heldBytes -= held.pop()?.bytes ?? 0;
    held.push(request);
    heldBytes += request.bytes;
  }

  /** Many bridges see an event, such as the begin of a run, at the same moment. Their next requests are spread. */
  function start(): void {
    const nowMs = clock().monotonicMs;
    const isInRhythm = Math.abs(nowMs - endMs) <= toleranceMs;
    endMs = nowMs + intervalMs - (isInRhythm ? 0 : random() * Math.min(intervalMs, spreadMs));
  }

  return {
    hold(request, urgency) {
      const leftMs = endMs - clock().monotonicMs;
      if (urgency === 'may_wait' && leftMs > toleranceMs) {
        add(request);
        timer ??= setTimeout(() => {
          release();
          onEnd();
        }, leftMs);
        if (held.length < limits.requests && heldBytes < limits.bytes) return true;
      }
      release();
      return false;
    },
    sending(requests) {
      release();
      if (requests.some(({ kind }) => kind === 'snapshot')) start();
    },
    stop: release,
    get held() {
      return held.length;
    },
  };
}
