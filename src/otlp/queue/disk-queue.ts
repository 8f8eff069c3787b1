import { settlesWithin } from '../../common/timing.ts';
import type { Collection } from '../collection.ts';
import type { QueuedFile, QueueFolder } from './queue-folder.ts';

/**
 * Copies of what waits, on a disk, where they outlive the process and hold more than memory. All that is not in memory
 * any more is older than what is.
 *
 * Nothing waits for the disk but what is read from it: where it fails or hangs, memory alone is left.
 */
export interface Spill {
  /** Begins to copy a collection. */
  store(collection: Collection): void;
  /** The collection leaves memory; says whether it is still to be had from here. */
  release(collection: Collection): boolean;
  /** What was delivered or refused for good out of memory. */
  forget(collections: readonly Collection[]): void;
  /** Reads the oldest that are not in memory and fit one request together; none where there are none. */
  lend(): Promise<readonly Collection[]>;
  /** Takes back what was lent. */
  giveBack(): void;
  /** Takes out what was lent. */
  removeLent(): void;
  /** Shows bridges that start that this one is there. */
  touch(): void;
  /** Resolves when all has been done that was asked for so far. */
  settled(): Promise<void>;
  /** How many are here and not in memory. */
  readonly size: number;
}

export interface SpillOptions {
  readonly folder: QueueFolder;
  readonly maxBytes: number;
  readonly onFound: (count: number) => void;
  readonly onLost: (reason: LostReason) => void;
  /** Called after each time the disk is written, with what went wrong where something did. */
  readonly onWritten: (error: NodeJS.ErrnoException | undefined) => void;
}

/** There was no room, or what was to be there cannot be written or read. */
export type LostReason = 'queue_dir_full' | 'queue_dir_failed';

const requestBytes = 3 * 1_048_576;
/** What may wait for a disk that hangs; it is in memory meanwhile. */
const maxUnwritten = 64;
const longestHangMs = 5_000;

export function createSpill({ folder, maxBytes, onFound, onLost, onWritten }: SpillOptions): Spill {
  const inMemory = new Map<Collection, QueuedFile>();
  let older: QueuedFile[] = [];
  let lent = new Set<QueuedFile>();
  let bytes = 0;
  const unwritten = new Set<QueuedFile>();
  let isOpen = false;
  let last: Promise<void> = Promise.resolve();

  /** One thing at a time, in the order it was asked for. */
  function then(work: () => Promise<void>): void {
    last = last.then(work).catch(() => undefined);
  }

  then(async () => {
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

  async function write(collection: Collection, file: QueuedFile): Promise<void> {
    try {
      await folder.write(file.name, collection.request);
      onWritten(undefined);
    } catch (error) {
      const isInMemory = inMemory.delete(collection);
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
    then(() => folder.remove(file.name));
  }

  /** The oldest that are on the disk and fit one request together, one at least. */
  function fitting(): readonly QueuedFile[] {
    let size = 0;
    const end = older.findIndex((file, index) => {
      size += file.bytes;
      return unwritten.has(file) || (size > requestBytes && index > 0);
    });
    return end < 0 ? older : older.slice(0, end);
  }

  function makeRoom(): void {
    while (bytes > maxBytes) {
      const oldest = older.find((file) => !lent.has(file));
      if (oldest !== undefined) {
        take(oldest);
        onLost('queue_dir_full');
        remove(oldest);
        continue;
      }
      const [collection, file] = inMemory.entries().next().value ?? [];
      if (collection === undefined || file === undefined) return;
      inMemory.delete(collection);
      remove(file);
    }
  }

  return {
    store(collection) {
      if (unwritten.size >= maxUnwritten) return;
      const file = { name: folder.newName(), bytes: collection.request.length };
      inMemory.set(collection, file);
      bytes += file.bytes;
      unwritten.add(file);
      then(() => write(collection, file));
      makeRoom();
    },
    release(collection) {
      const file = inMemory.get(collection);
      if (file === undefined) return false;
      inMemory.delete(collection);
      // What was under way leaves memory after what came in meanwhile.
      older.splice(older.findLastIndex(({ name }) => name < file.name) + 1, 0, file);
      return true;
    },
    forget(collections) {
      for (const collection of collections) {
        const file = inMemory.get(collection);
        if (file === undefined) continue;
        inMemory.delete(collection);
        remove(file);
      }
    },
    async lend() {
      if (isOpen && older.length === 0) return [];
      const isDone = await settlesWithin(longestHangMs, last);
      isOpen = true;
      if (!isDone) return [];
      // Held from here on: what is being read must not be pushed out and counted as lost.
      lent = new Set(fitting());
      const read = await Promise.all(
        [...lent].map(async (file) => ({ file, request: await folder.read(file.name) })),
      );
      for (const { file } of read.filter(({ request }) => request === undefined)) {
        lent.delete(file);
        take(file);
        onLost('queue_dir_failed');
        remove(file);
      }
      return read.flatMap(({ request }) => (request ? [{ kind: 'snapshot', request }] : []));
    },
    giveBack() {
      lent = new Set();
    },
    removeLent() {
      older = older.filter((file) => !lent.has(file));
      for (const file of lent) remove(file);
      lent = new Set();
    },
    touch: () => then(() => folder.touch()),
    settled: () => last,
    get size() {
      return older.length;
    },
  };
}
