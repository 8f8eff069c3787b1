import type { Interpretation } from '../../src/snapshot/interpret.ts';
import type { Snapshot } from '../../src/snapshot/snapshot.ts';

/** The snapshot of a file, which has to be right. */
export function snapshotOf(interpretation: Interpretation): Snapshot {
  if (interpretation.status !== 'ok') throw new Error(interpretation.reason);
  return interpretation.snapshot;
}
