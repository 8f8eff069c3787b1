import type { ExportRequest } from '../export-request.ts';
import type { DiskQueue } from './disk-queue.ts';
import type { Lease, QueueEnd } from './lease.ts';
import type { Drop, MemoryQueue } from './memory-queue.ts';

/** What waits to be sent: in memory, and beyond that on a disk where there is one for it. */
export interface Queue<R> {
  push(request: R): void;
  /** The oldest, or the newest, that fit one request together; none where none wait. */
  lease(end: QueueEnd): Promise<Lease<R>>;
  /** Resolves when the disk is as it should be. */
  flushed(): Promise<void>;
  /** All that is not acknowledged. */
  readonly size: number;
}

export interface QueueOptions<R> {
  readonly memory: MemoryQueue<R>;
  readonly disk?: DiskQueue<R> | undefined;
  /** Called with what is lost for want of room. */
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
