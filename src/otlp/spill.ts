import { within } from '../timing.ts';
import type { Collection } from './collection.ts';
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
const maxWritesUnderWay = 64;
const longestHangMs = 5_000;

export function createSpill({ folder, maxBytes, onFound, onLost, onWritten }: SpillOptions): Spill {
  const inMemory = new Map<Collection, QueuedFile>();
  let older: QueuedFile[] = [];
  let lent: readonly QueuedFile[] = [];
  let bytes = 0;
  let writesUnderWay = 0;
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
      writesUnderWay -= 1;
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

  function makeRoom(): void {
    while (bytes > maxBytes) {
      const [oldest] = older.splice(lent.length, 1);
      if (oldest !== undefined) {
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
      if (writesUnderWay >= maxWritesUnderWay) return;
      const file = { name: folder.newName(), bytes: collection.request.length };
      inMemory.set(collection, file);
      bytes += file.bytes;
      writesUnderWay += 1;
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
      const isDone = await within(longestHangMs, last);
      isOpen = true;
      if (!isDone) return [];
      const collections: Collection[] = [];
      const good: QueuedFile[] = [];
      let size = 0;
      for (const file of [...older]) {
        size += file.bytes;
        if (size > requestBytes && good.length > 0) break;
        const request = await folder.read(file.name);
        if (request !== undefined) {
          collections.push({ kind: 'snapshot', request });
          good.push(file);
        } else if (take(file)) {
          onLost('queue_dir_failed');
          remove(file);
        }
      }
      lent = good;
      return collections;
    },
    giveBack() {
      lent = [];
    },
    removeLent() {
      const gone = new Set(lent);
      older = older.filter((file) => !gone.has(file));
      for (const file of lent) remove(file);
      lent = [];
    },
    touch: () => then(() => folder.touch()),
    settled: () => last,
    get size() {
      return older.length;
    },
  };
}
