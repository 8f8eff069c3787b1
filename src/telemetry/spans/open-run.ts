import type { Attributes } from '@opentelemetry/api';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import type { RunKey } from './ids.ts';

/** What is known of a run for its spans. A plain value. Times are Unix milliseconds by the file's clock. */
export interface OpenRun {
  readonly key: RunKey;
  readonly job: Snapshot['job'];
  /** Attributes of the run and of everything below it, as the first snapshot had them. */
  readonly identity: Attributes;
  readonly startMs: number;
  /** The latest snapshot: its time, and when it was read, by uptime. */
  readonly latest: { readonly timeMs: number; readonly monotonicMs: number };
  readonly epoch: OpenEpoch | undefined;
  /** The last finite value of each field. */
  readonly values: Snapshot['values'];
  /** Losses whose last value was not finite. */
  readonly notFinite: ReadonlyMap<string, number>;
  /** The lowest of the epochs that are over. */
  readonly bestValidationLoss: number | undefined;
  readonly events: readonly SpanEvent[];
  /** Names and times of the file's events that were taken, the oldest first. */
  readonly taken: ReadonlySet<string>;
}

export interface OpenEpoch {
  readonly number: number;
  readonly startMs: number;
  /** Its beginning was not seen. */
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

/** A span that is over. */
export interface FinishedSpan {
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
}

/** The most events a span keeps, the newest ones. Source: OpenTelemetry specification, SpanLimits, EventCountLimit. */
const maxEvents = 128;

export const newest = (events: readonly SpanEvent[]): readonly SpanEvent[] => events.slice(-maxEvents);

/** Puts each event where its time falls: into the open epoch, which is exported soon, or else into the run. */
export function addEvents(run: OpenRun, events: readonly SpanEvent[]): OpenRun {
  if (events.length === 0) return run;
  const { epoch } = run;
  const isOfEpoch = ({ timeMs }: SpanEvent) => epoch !== undefined && timeMs >= epoch.startMs;
  return {
    ...run,
    epoch: epoch && { ...epoch, events: newest([...epoch.events, ...events.filter(isOfEpoch)]) },
    events: newest([...run.events, ...events.filter((event) => !isOfEpoch(event))]),
  };
}
