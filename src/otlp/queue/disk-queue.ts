import { settlesWithin } from '../../common/timing.ts';
import { maxRequestBytes, withinBytes } from '../export-request.ts';
import type { Encoding } from './encoding.ts';
import type { Lease } from './lease.ts';
import type { QueuedFile, QueueFolder } from './queue-folder.ts';

/**
 * Copies of what waits, on a disk, where they outlive the process and hold more than memory. Entries that are only on
 * disk are always older than those in memory.
 *
 * Only reading waits for the disk: where it fails or hangs, memory alone is left.
 */
export interface DiskQueue<R> {
  /** Begins to copy a request. */
  store(request: R): void;
  /** The request leaves memory; says whether it can still be read from here. */
  release(request: R): boolean;
  /** Removes the copies of requests that were delivered or rejected out of memory. */
  discard(requests: readonly R[]): void;
  /** Reads the oldest that are not in memory and fit one request together; none where there are none. */
  lease(): Promise<Lease<R>>;
  /** Shows bridges that start that this one is running. */
  touch(): void;
  /** Resolves when all has been done that was asked for so far. */
  flushed(): Promise<void>;
  /** How many are here and not in memory. */
  readonly size: number;
}

export interface DiskQueueOptions<R> {
  readonly folder: QueueFolder;
  readonly encoding: Encoding<R>;
  /** Changes a request of a bridge that is gone, which cannot send one that says that its run has ended. */
  readonly asEnded: (request: R) => R;
  readonly maxBytes: number;
  readonly onFound: (count: number) => void;
  readonly onLost: (reason: LostReason) => void;
  /** Called after each time the disk is written, with what went wrong where something did, and while it hangs. */
  readonly onWritten: (error: NodeJS.ErrnoException | undefined) => void;
}

/** There was no room, or what was to be there cannot be written or read. */
export type LostReason = 'queue_dir_full' | 'queue_dir_failed';

/** What may wait for a disk that hangs; it is in memory meanwhile. */
const maxUnwritten = 64;
const longestHangMs = 5_000;
const longestReadMs = 1_000;
const nothing: Lease<never> = { requests: [], ack: () => undefined, nack: () => undefined };

export function createDiskQueue<R>(options: DiskQueueOptions<R>): DiskQueue<R> {
  const { folder, encoding, asEnded, maxBytes, onFound, onLost, onWritten } = options;
  const inMemory = new Map<R, QueuedFile>();
  let older: QueuedFile[] = [];
  const leased = new Set<QueuedFile>();
  let bytes = 0;
  const unwritten = new Set<QueuedFile>();
  let isOpen = false;
  let last: Promise<void> = Promise.resolve();
  let lateRead: Promise<void> = Promise.resolve();

  /** One thing at a time, in the order it was asked for. */
  function enqueue(work: () => Promise<void>): void {
    last = last.then(() => reportHang(work())).catch(() => undefined);
  }

  async function reportHang(work: Promise<void>): Promise<void> {
    await isInTime(work);
    await work;
  }

  /** Reports a volume that hangs. */
  async function isInTime(work: Promise<unknown>): Promise<boolean> {
    const isDone = await settlesWithin(longestHangMs, work);
    if (!isDone) onWritten(new Error(`it has not answered for ${longestHangMs / 1000} s`));
    return isDone;
  }

  enqueue(async () => {
    try {
      const found = await folder.open();
      older = [...found, ...older];
      for (const file of found) bytes += file.bytes;
      if (found.length > 0) onFound(found.length);
      makeRoom();
    } catch (error) {
      onWritten(error as NodeJS.ErrnoException);
    }
  });

  async function write(request: R, content: Uint8Array, file: QueuedFile): Promise<void> {
    try {
      await folder.write(file.name, content);
      onWritten(undefined);
    } catch (error) {
      const isInMemory = inMemory.delete(request);
      const isLost = !isInMemory && take(file);
      if (isInMemory || isLost) bytes -= file.bytes;
      if (isLost) onLost('queue_dir_failed');
      onWritten(error as NodeJS.ErrnoException);
    } finally {
      unwritten.delete(file);
    }
  }

  /** Out of those that are here alone; false where it is not one of them. */
  function take(file: QueuedFile): boolean {
    const index = older.indexOf(file);
    if (index >= 0) older.splice(index, 1);
    return index >= 0;
  }

  function remove(file: QueuedFile): void {
    bytes -= file.bytes;
    enqueue(() => folder.remove(file.name));
  }

  function lose(file: QueuedFile, reason: LostReason): void {
    take(file);
    onLost(reason);
    remove(file);
  }

  /** The oldest that are on the disk and fit one request together, one at least. */
  function readable(): readonly QueuedFile[] {
    const free = older.filter((file) => !leased.has(file));
    const end = free.findIndex((file) => unwritten.has(file));
    return withinBytes(end < 0 ? free : free.slice(0, end), maxRequestBytes);
  }

  function makeRoom(): void {
    while (bytes > maxBytes) {
      const oldest = older.find((file) => !leased.has(file));
      if (oldest !== undefined) {
        lose(oldest, 'queue_dir_full');
        continue;
      }
      const [request, file] = inMemory.entries().next().value ?? [];
      if (request === undefined || file === undefined) return;
      inMemory.delete(request);
      remove(file);
    }
  }

  async function read(file: QueuedFile): Promise<R | undefined> {
    const content = await folder.read(file.name);
    const request = content && encoding.decode(content);
    return request !== undefined && file.isOrphan === true ? asEnded(request) : request;
  }

  /**
   * Reads the first of these, as many as a slow volume gives in a second. One by one: a volume that hangs must not
   * occupy all threads, because the metrics file is read in one of them.
   */
  async function readFirst(files: readonly QueuedFile[]): Promise<readonly (R | undefined)[]> {
    const requests: (R | undefined)[] = [];
    const startMs = performance.now();
    for (const file of files) {
      if (requests.length > 0 && performance.now() - startMs > longestReadMs) break;
      requests.push(await read(file));
    }
    return requests;
  }

  /** Reads files into a lease; those that are not whole are lost. */
  async function leaseOf(files: readonly QueuedFile[]): Promise<Lease<R>> {
    // Held from here on: what is being read must not be pushed out and counted as lost.
    for (const file of files) leased.add(file);
    const requests = await readFirst(files);
    for (const file of files.slice(requests.length)) leased.delete(file);
    const open = new Map<R, QueuedFile>();
    for (const [index, file] of files.slice(0, requests.length).entries()) {
      const request = requests[index];
      if (request !== undefined) open.set(request, file);
      else {
        leased.delete(file);
        lose(file, 'queue_dir_failed');
      }
    }
    const close = (request: R) => {
      const file = open.get(request);
      if (file !== undefined) leased.delete(file);
      open.delete(request);
      return file;
    };
    return {
      requests: [...open.keys()],
      ack(done) {
        for (const request of done) {
          const file = close(request);
          if (file !== undefined && take(file)) remove(file);
        }
      },
      nack() {
        for (const request of open.keys()) close(request);
      },
    };
  }

  return {
    store(request) {
      if (unwritten.size >= maxUnwritten) return;
      const content = encoding.encode(request);
      const file = { name: folder.newName(), bytes: content.length };
      inMemory.set(request, file);
      bytes += file.bytes;
      unwritten.add(file);
      enqueue(() => write(request, content, file));
      makeRoom();
    },
    release(request) {
      const file = inMemory.get(request);
      if (file === undefined) return false;
      inMemory.delete(request);
      // What was under way leaves memory after what came in meanwhile.
      older.splice(older.findLastIndex(({ name }) => name < file.name) + 1, 0, file);
      return true;
    },
    discard(requests) {
      for (const request of requests) {
        const file = inMemory.get(request);
        if (file === undefined) continue;
        inMemory.delete(request);
        remove(file);
      }
    },
    async lease() {
      if (isOpen && older.length === 0) return nothing;
      const isDone = await settlesWithin(longestHangMs, Promise.all([last, lateRead]));
      isOpen = true;
      if (!isDone) return nothing;
      const reading = leaseOf(readable());
      if (await isInTime(reading)) return reading;
      lateRead = reading.then((lease) => lease.nack());
      return nothing;
    },
    touch: () => enqueue(() => folder.touch()),
    flushed: () => last,
    get size() {
      return older.length;
    },
  };
}
