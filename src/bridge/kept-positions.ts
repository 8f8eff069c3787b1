import type { Poll } from '../snapshot/source.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** Keeps how far a log was exported, once the Collector has accepted the records. */
export interface KeptPositions {
  /** Notes the position after a poll whose records were queued. */
  polled(poll: Poll): void;
  /** Keeps the last position up to which all records were delivered. Does not wait until it is written. */
  update(): void;
  /** Resolves when the last position is written. */
  written(): Promise<void>;
}

interface Pending {
  /** The number of records that were queued up to the position. */
  readonly records: number;
  readonly keep: () => Promise<void>;
}

/** Requests leave the queue oldest first, so their number tells how far the log was delivered. */
export function createKeptPositions(
  telemetry: Pick<Telemetry, 'records'>,
  onError: (error: unknown) => void,
): KeptPositions {
  let pending: Pending[] = [];
  let writing: Promise<void> = Promise.resolve();
  return {
    polled({ keepPosition }) {
      if (keepPosition !== undefined) pending.push({ records: telemetry.records.sent, keep: keepPosition });
    },
    update() {
      if (pending.length === 0) return;
      const { done } = telemetry.records;
      const last = pending.findLast(({ records }) => records <= done);
      if (last === undefined) return;
      pending = pending.filter(({ records }) => records > done);
      writing = writing.then(last.keep).catch(onError);
    },
    written: () => writing,
  };
}
