import type { Clock } from '../common/clock.ts';
import type { Conditions } from '../common/logger.ts';
import type { DiskQueueOptions } from '../otlp/queue/disk-queue.ts';

/** A volume that is nearly full takes a request of a block and refuses the next of two: one good write proves nothing. */
const steadyMs = 60_000;

/**
 * Tells of the volume of the export queue by what became of each write: once that it cannot be written, and once that
 * it can again, when no write has failed for a minute.
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
        'Folder of the export queue cannot be written: what waits is in memory alone',
      );
    } else if (monotonicMs - failedMs >= steadyMs)
      conditions.clear('queue_dir', 'Folder of the export queue can be written again', { path });
  };
}
