import type { Attributes } from '@opentelemetry/api';
import { spanEvents } from '../../catalogue/spans.ts';
import type { PollTime, RunEvent } from '../../run/run.ts';
import type { FileEvent, Snapshot } from '../../snapshot/snapshot.ts';
import { isFarAhead, maxTextLength } from '../../snapshot/values.ts';
import { type OpenRun, presentTime, type SpanEvent } from './open-run.ts';

/** Twice the number that is read from a file, so that an event still in the file is not added again. */
const maxSeenEvents = 200;
const maxAttributes = 32;

/**
 * The events of the file that were not in it before. An event is identified by its name and time. One without a time, or
 * with one far in the future, has that of the snapshot, `timeMs`.
 */
export function newEvents(
  seen: OpenRun['seenEvents'],
  { events }: Snapshot,
  timeMs: number,
  nowMs: number,
): { readonly events: readonly SpanEvent[]; readonly seen: OpenRun['seenEvents'] } {
  const unseen = new Map(events.map((event) => [keyOf(event), event]));
  for (const key of seen) unseen.delete(key);
  if (unseen.size === 0) return { events: [], seen };
  return {
    events: [...unseen.values()].map((event) => ({
      name: event.name,
      timeMs: event.timeMs === undefined || isFarAhead(event.timeMs, nowMs) ? timeMs : event.timeMs,
      attributes: limitAttributes(event.attributes),
    })),
    seen: new Set([...seen, ...unseen.keys()].slice(-maxSeenEvents)),
  };
}

const keyOf = ({ name, timeMs }: FileEvent) => `${timeMs ?? ''} ${name}`;

/** Limits attributes that come from the file, in number and length. */
function limitAttributes(attributes: FileEvent['attributes']): Attributes {
  const clean = (text: string) => text.slice(0, maxTextLength).toWellFormed();
  const entries = Object.entries(attributes).slice(0, maxAttributes);
  return Object.fromEntries(
    entries.map(([key, value]) => [clean(key), typeof value === 'string' ? clean(value) : value]),
  );
}

export const lossFields: ReadonlySet<string> = new Set(['training_loss', 'validation_loss']);

/** The span events for what the bridge itself detected in the run, at the present time by the file's clock. */
export function detectedEvents(
  events: readonly RunEvent[],
  run: OpenRun,
  now: PollTime,
): readonly SpanEvent[] {
  const timeMs = presentTime(run, now);
  return events.flatMap((event): SpanEvent[] => {
    switch (event.kind) {
      case 'became_non_finite': {
        if (!lossFields.has(event.field)) return [];
        const { name, attributes } = spanEvents.lossNotFinite;
        const [field, value] = attributes;
        return [{ name, timeMs, attributes: { [field]: event.field, [value]: String(event.value) } }];
      }
      case 'run_rewound': {
        const { name, attributes } = spanEvents.rewound;
        const [step, from] = attributes;
        return [{ name, timeMs, attributes: { [step]: event.step, [from]: event.from } }];
      }
      case 'stalled':
        return [{ name: spanEvents.stalled.name, timeMs, attributes: {} }];
      case 'resumed':
        return [{ name: spanEvents.resumed.name, timeMs, attributes: {} }];
      default:
        return [];
    }
  });
}
