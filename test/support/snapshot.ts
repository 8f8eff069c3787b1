import type { Snapshot, SnapshotParseResult } from '../../src/snapshot/snapshot.ts';

/** The snapshot of a file, which has to be right. */
export function snapshotOf(interpretation: SnapshotParseResult): Snapshot {
  if (interpretation.status !== 'ok') throw new Error(interpretation.reason);
  return interpretation.snapshot;
}
