import type { ExportRequest } from '../export-request.ts';
import type { DiskQueue } from './disk-queue.ts';
import type { Lease, QueueEnd } from './lease.ts';
import type { Drop, MemoryQueue } from './memory-queue.ts';

/** The requests that wait to be sent: in memory and, if a disk queue is configured, on disk. */
export interface Queue<R> {
  push(request: R): void;
  /** Leases the oldest, or the newest, requests that together fit one export; none if the queue is empty. */
  lease(end: QueueEnd): Promise<Lease<R>>;
  /** Resolves when all pending changes are on disk. */
  flushed(): Promise<void>;
  /** Requests that are not acknowledged. */
  readonly size: number;
}

export interface QueueOptions<R> {
  readonly memory: MemoryQueue<R>;
  readonly disk?: DiskQueue<R> | undefined;
  /** Called with the requests that are lost because the queue is full. */
  readonly onOverflow: (drops: readonly Drop<R>[]) => void;
}

/** Entries that are only on disk are always older than those in memory. */
export function createQueue<R extends ExportRequest>({
  memory,
  disk,
  onOverflow,
}: QueueOptions<R>): Queue<R> {
  function release(drops: readonly Drop<R>[]): void {
    const lost = drops.filter(({ request }) => !disk?.release(request));
    if (lost.length > 0) onOverflow(lost);
  }

  function leaseMemory(end: QueueEnd): Lease<R> {
    const lease = memory.lease(end);
    return {
      requests: lease.requests,
      ack(requests) {
        lease.ack(requests);
        disk?.discard(requests);
      },
      nack: () => release(lease.nack()),
    };
  }

  return {
    push(request) {
      if (request.kind === 'snapshot') disk?.store(request);
      else disk?.touch();
      release(memory.push(request));
    },
    async lease(end) {
      const fromDisk = end === 'oldest' || memory.size === 0 ? await disk?.lease() : undefined;
      return fromDisk !== undefined && fromDisk.requests.length > 0 ? fromDisk : leaseMemory(end);
    },
    flushed: async () => disk?.flushed(),
    get size() {
      return memory.size + (disk?.size ?? 0);
    },
  };
}
