import { spanEvents } from '../../catalogue/spans.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { epochAttributes } from './attributes.ts';
import { type FinishedSpan, newest, type OpenEpoch, type OpenRun } from './open-run.ts';

/**
 * A snapshot is written when a batch is done, so the time between two of them belongs to the epoch of the later one:
 * an epoch reaches from the last snapshot of the one before to its own last. A beginning that was not seen is the
 * first snapshot.
 *
 * @param before the run as it was before this snapshot
 */
export function openEpoch(
  before: OpenRun,
  number: number,
  { values }: Snapshot,
  timeMs: number,
  watched: boolean,
): OpenEpoch {
  const begun = beginningOf(before, number, values.batch_number, timeMs, watched);
  return {
    number,
    startMs: begun ?? timeMs,
    partial: begun === undefined,
    values: {},
    lowestValidationLoss: undefined,
    events: [],
  };
}

function beginningOf(
  before: OpenRun,
  number: number,
  batch: number | undefined,
  timeMs: number,
  watched: boolean,
): number | undefined {
  // A write before the first batch says itself that it is the beginning.
  if (batch === 0) return timeMs;
  if (before.epoch !== undefined)
    return number === before.epoch.number + 1 ? before.latest.timeMs : undefined;
  const isFirst = number <= 1 && before.key.startTimeMs !== undefined;
  if (watched || isFirst) return before.startMs;
  return batch === 1 ? timeMs : undefined;
}

export function withValues(epoch: OpenEpoch, values: Snapshot['values']): OpenEpoch {
  return {
    ...epoch,
    values: { ...epoch.values, ...values },
    lowestValidationLoss: lower(epoch.lowestValidationLoss, values.validation_loss),
  };
}

/** The run without its open epoch, and that epoch's span. */
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
      events: improved ? newest([...epoch.events, improvement]) : epoch.events,
    },
  };
}

function lower(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b);
}
