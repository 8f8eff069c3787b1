import type { Attributes } from '@opentelemetry/api';
import type { PollTime } from '../../run/run.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { RunKey } from './ids.ts';

/** The state of a run that its spans are made from. A plain value. Times are Unix milliseconds by the file's clock. */
export interface OpenRun {
  readonly key: RunKey;
  readonly job: Snapshot['job'];
  /** Attributes of all spans of the run, from its first snapshot. */
  readonly identity: Attributes;
  readonly startMs: number;
  /** The bridge did not see the beginning of the run. */
  readonly partial: boolean;
  /** Time of the latest snapshot, and when it was read by the monotonic clock. */
  readonly latest: { readonly timeMs: number; readonly monotonicMs: number };
  readonly epoch: OpenEpoch | undefined;
  /** The last finite value of each field. */
  readonly values: Snapshot['values'];
  /** Losses whose latest value was NaN or infinite, with that value. */
  readonly nonFiniteLosses: ReadonlyMap<string, number>;
  /** The lowest of the epochs that have ended. */
  readonly bestValidationLoss: number | undefined;
  readonly events: readonly SpanEvent[];
  /** Keys of the file's events that were already added, the oldest first. */
  readonly seenEvents: ReadonlySet<string>;
}

export interface OpenEpoch {
  readonly number: number;
  readonly startMs: number;
  /** Its beginning was not observed. */
  readonly partial: boolean;
  readonly values: Snapshot['values'];
  readonly lowestValidationLoss: number | undefined;
  readonly events: readonly SpanEvent[];
}

export interface SpanEvent {
  readonly name: string;
  readonly timeMs: number;
  readonly attributes: Attributes;
}

/** A span that has ended. */
export interface FinishedSpan {
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
}

/** The present time by the file's clock: that of the latest snapshot, and the time since then. */
export const presentTime = ({ latest }: OpenRun, { monotonicMs }: Pick<PollTime, 'monotonicMs'>): number =>
  latest.timeMs + Math.max(0, monotonicMs - latest.monotonicMs);

/** A span keeps this many of its newest events. Source: OpenTelemetry specification, SpanLimits, EventCountLimit. */
const maxEvents = 128;

export const newestEvents = (events: readonly SpanEvent[]): readonly SpanEvent[] => events.slice(-maxEvents);

/** Adds each event to the open epoch, which is exported sooner, or to the run if it is older than the epoch. */
export function addEvents(run: OpenRun, events: readonly SpanEvent[]): OpenRun {
  if (events.length === 0) return run;
  const { epoch } = run;
  const isInEpoch = ({ timeMs }: SpanEvent) => epoch !== undefined && timeMs >= epoch.startMs;
  return {
    ...run,
    epoch: epoch && { ...epoch, events: newestEvents([...epoch.events, ...events.filter(isInEpoch)]) },
    events: newestEvents([...run.events, ...events.filter((event) => !isInEpoch(event))]),
  };
}
