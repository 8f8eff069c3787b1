import type { Attributes } from '@opentelemetry/api';
import { spanEvents } from '../../catalogue/spans.ts';
import type { PollTime, RunEvent } from '../../run/run.ts';
import type { FileEvent, Snapshot } from '../../snapshot/snapshot.ts';
import { maxTextLength } from '../../snapshot/values.ts';
import type { OpenRun, SpanEvent } from './open-run.ts';

/** Twice what a file may show: those that are still in it are never forgotten. */
const maxTaken = 200;
const maxAttributes = 32;

/** The events of the file that were not in it before, told apart by name and time; one without a time is now. */
export function newEvents(
  taken: OpenRun['taken'],
  { events }: Snapshot,
  timeMs: number,
): { readonly events: readonly SpanEvent[]; readonly taken: OpenRun['taken'] } {
  const unseen = new Map(events.map((event) => [keyOf(event), event]));
  for (const key of taken) unseen.delete(key);
  if (unseen.size === 0) return { events: [], taken };
  return {
    events: [...unseen.values()].map((event) => ({
      name: event.name,
      timeMs: event.timeMs ?? timeMs,
      attributes: bounded(event.attributes),
    })),
    taken: new Set([...taken, ...unseen.keys()].slice(-maxTaken)),
  };
}

const keyOf = ({ name, timeMs }: FileEvent) => `${timeMs ?? ''} ${name}`;

/** Anybody writes these. */
function bounded(attributes: FileEvent['attributes']): Attributes {
  const clean = (text: string) => text.slice(0, maxTextLength).toWellFormed();
  const entries = Object.entries(attributes).slice(0, maxAttributes);
  return Object.fromEntries(
    entries.map(([key, value]) => [clean(key), typeof value === 'string' ? clean(value) : value]),
  );
}

export const losses: ReadonlySet<string> = new Set(['training_loss', 'validation_loss']);

/** What the bridge noticed itself, at the time it has by the file's clock. */
export function noticed(
  events: readonly RunEvent[],
  { latest }: OpenRun,
  now: PollTime,
): readonly SpanEvent[] {
  const timeMs = latest.timeMs + Math.max(0, now.monotonicMs - latest.monotonicMs);
  return events.flatMap((event): SpanEvent[] => {
    switch (event.kind) {
      case 'became_non_finite': {
        if (!losses.has(event.field)) return [];
        const { name, attributes } = spanEvents.lossNotFinite;
        const [field, value] = attributes;
        return [{ name, timeMs, attributes: { [field]: event.field, [value]: String(event.value) } }];
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
