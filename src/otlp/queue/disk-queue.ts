import { settlesWithin } from '../../common/timing.ts';
import { maxRequestBytes, withinBytes } from '../export-request.ts';
import type { Encoding } from './encoding.ts';
import type { Lease } from './lease.ts';
import type { QueuedFile, QueueFolder } from './queue-folder.ts';

/**
 * Copies of the requests on a disk, which survive the process and can be more than fit in memory. Entries that are only
 * on disk are always older than those in memory.
 *
 * Only reading waits for the disk. If the disk fails or hangs, only the memory queue is used.
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

export interface DiskQueueOptions<R> {
  readonly folder: QueueFolder;
  readonly encoding: Encoding<R>;
  /** Marks the run in a request of another bridge as ended, because that bridge no longer runs and cannot do it. */
  readonly asEnded: (request: R) => R;
  readonly maxBytes: number;
  readonly onFound: (count: number) => void;
  readonly onLost: (reason: LostReason) => void;
  /** Called after each write with its error, if it failed, and while a call hangs. */
  readonly onWritten: (error: NodeJS.ErrnoException | undefined) => void;
}

/** The disk queue is full, or a file cannot be written or read. */
export type LostReason = 'queue_dir_full' | 'queue_dir_failed';

/** Writes that wait for a disk that hangs. Further requests are kept only in memory. */
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

  /** Runs one call at a time, in order. */
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

  /** Removes a file from `older`; false if it is not there. */
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

  /** The oldest files that are written, are not leased and together fit one export; at least one, if there is any. */
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
   * Reads as many of the files as a slow volume returns in a second. They are read one by one: a volume that hangs must not
   * occupy all threads of libuv's pool, because reading the metrics file needs one.
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

  /** Reads files into a lease. Incomplete files are lost. */
  async function leaseOf(files: readonly QueuedFile[]): Promise<Lease<R>> {
    // From here on: a file that is being read must not be removed to make room and counted as lost.
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
      // A request that was in flight leaves memory after newer ones.
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
