import { createDiskCalls } from './disk-calls.ts';
import {
  type DiskFiles,
  type DiskFilesOptions,
  deleteFile,
  makeRoom,
  openFolder,
  writeFile,
} from './disk-files.ts';
import { addUnwritten, createDiskIndex, releaseFromMemory, removeOfRequest } from './disk-index.ts';
import { createDiskLeases, type DiskReader } from './disk-lease.ts';
import type { Encoding } from './encoding.ts';
import type { Lease } from './lease.ts';

/**
 * Copies of the requests on a disk, which survive the process and can be more than fit in memory. Entries that are only
 * on disk are always older than those in memory.
 *
 * Only reading waits for the disk, for 5 seconds. If the disk fails or hangs, only the memory queue is used, until the
 * call that hangs has returned.
 */
export interface DiskQueue<R> {
  /** Starts to write a copy of a request. Returns at once. */
  store(request: R): void;
  /** Call it when a request is removed from memory. Returns whether it can still be read from the disk. */
  release(request: R): boolean;
  /** Removes the copies of requests that were sent from memory and are delivered or rejected. */
  discard(requests: readonly R[]): void;
  /** Reads the oldest requests that are only on disk and together fit one export; none if there are none. */
  lease(): Promise<Lease<R>>;
  /** Shows other bridges that this one is running. */
  touch(): void;
  /** Resolves when all changes so far are on disk. */
  flushed(): Promise<void>;
  /** Requests that are only on disk. */
  readonly size: number;
}

export type DiskQueueOptions<R> = DiskFilesOptions & Omit<DiskReader<R>, 'files'>;

/** Writes that wait for a disk that hangs. Further requests are kept only in memory. */
const maxUnwritten = 64;

export function createDiskQueue<R>(options: DiskQueueOptions<R>): DiskQueue<R> {
  const { folder, encoding } = options;
  const index = createDiskIndex<R>();
  const calls = createDiskCalls(options.onWritten);
  const files = { ...options, index, calls };
  calls.enqueue(() => openFolder(files));
  return {
    store: (request) => storeRequest(files, encoding, request),
    release: (request) => releaseFromMemory(index, request),
    discard(requests) {
      for (const request of requests) {
        const file = removeOfRequest(index, request);
        if (file !== undefined) deleteFile(files, file);
      }
    },
    lease: createDiskLeases({ ...options, files }),
    touch: () => calls.enqueue(() => folder.touch()),
    flushed: () => calls.settled(),
    get size() {
      return index.onlyOnDisk.length;
    },
  };
}

function storeRequest<R>(files: DiskFiles<R>, encoding: Encoding<R>, request: R): void {
  const { folder, index, calls } = files;
  if (index.unwritten.size >= maxUnwritten) return;
  const content = encoding.encode(request);
  const file = { name: folder.newName(), bytes: content.length };
  addUnwritten(index, request, file);
  calls.enqueue(() => writeFile(files, request, file, content));
  makeRoom(files);
}
