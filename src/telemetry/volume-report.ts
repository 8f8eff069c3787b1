import type { Clock } from '../common/clock.ts';
import type { Conditions } from '../common/logger.ts';
import type { DiskQueueOptions } from '../otlp/queue/disk-queue.ts';

/** A nearly full volume may have room for a small file and not for the next, larger one, so one successful write is not enough. */
const steadyMs = 60_000;

/**
 * Logs the state of the export queue's volume, given the result of each write: once when a write fails, and once when no
 * write has failed for a minute.
 */
export function createVolumeReport(
  path: string,
  clock: Clock,
  conditions: Conditions,
): DiskQueueOptions<unknown>['onWritten'] {
  let failedMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    const { monotonicMs } = clock();
    if (error !== undefined) {
      failedMs = monotonicMs;
      conditions.raise(
        'queue_dir',
        'warn',
        { path, reason: error.code ?? error.message },
        'Folder of the export queue cannot be written: queued snapshots are kept only in memory',
      );
    } else if (monotonicMs - failedMs >= steadyMs)
      conditions.clear('queue_dir', 'Folder of the export queue can be written again', { path });
  };
}
