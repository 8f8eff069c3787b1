import { spanEvents } from '../../catalogue/spans.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { epochAttributes } from './attributes.ts';
import { type FinishedSpan, newestEvents, type OpenEpoch, type OpenRun } from './open-run.ts';

/**
 * Begins an epoch. A snapshot is written after a batch, so the time between two snapshots belongs to the epoch of the
 * later one: an epoch begins at the last snapshot of the epoch before. If that was not observed, the epoch is partial
 * and begins at its first snapshot.
 *
 * @param before the run before this snapshot
 * @param sawRunStart whether the bridge was already polling when the run began
 */
export function openEpoch(
  before: OpenRun,
  number: number,
  { values }: Snapshot,
  timeMs: number,
  sawRunStart: boolean,
): OpenEpoch {
  const startMs = epochStart(before, number, values.batch_number, timeMs, sawRunStart);
  return {
    number,
    startMs: startMs ?? timeMs,
    partial: startMs === undefined,
    values: {},
    lowestValidationLoss: undefined,
    events: [],
  };
}

function epochStart(
  before: OpenRun,
  number: number,
  batch: number | undefined,
  timeMs: number,
  sawRunStart: boolean,
): number | undefined {
  // The previous bridge may have sent a span of this epoch.
  if (before.partial && before.epoch === undefined) return undefined;
  // Batch 0 is written before the first batch of an epoch.
  if (batch === 0) return timeMs;
  if (before.epoch !== undefined)
    return number === before.epoch.number + 1 ? before.latest.timeMs : undefined;
  const isFirst = number <= 1 && before.key.startTimeMs !== undefined;
  if (sawRunStart || isFirst) return before.startMs;
  return batch === 1 ? timeMs : undefined;
}

export function withValues(epoch: OpenEpoch, values: Snapshot['values']): OpenEpoch {
  return {
    ...epoch,
    values: { ...epoch.values, ...values },
    lowestValidationLoss: lower(epoch.lowestValidationLoss, values.validation_loss),
  };
}

/** Ends the open epoch: the run without it, and its span. */
export function endEpoch(
  run: OpenRun,
  epoch: OpenEpoch,
): { readonly run: OpenRun; readonly span: FinishedSpan } {
  const lowest = epoch.lowestValidationLoss;
  const best = run.bestValidationLoss;
  const endMs = Math.max(epoch.startMs, run.latest.timeMs);
  const improved = lowest !== undefined && best !== undefined && lowest < best;
  const { name, attributes } = spanEvents.validationImproved;
  const improvement = { name, timeMs: endMs, attributes: { [attributes[0]]: lowest, [attributes[1]]: best } };
  return {
    run: { ...run, epoch: undefined, bestValidationLoss: lower(best, lowest) },
    span: {
      startMs: epoch.startMs,
      endMs,
      attributes: { ...run.identity, ...epochAttributes(epoch) },
      events: improved ? newestEvents([...epoch.events, improvement]) : epoch.events,
    },
  };
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
