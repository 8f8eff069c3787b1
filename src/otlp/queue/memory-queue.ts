import type { Collection } from '../collection.ts';

/** What waits to be sent, oldest first. */
export interface Backlog {
  /** Appends, and gives the oldest that had to make room. */
  push(collection: Collection): readonly Drop[];
  /**
   * Lends the oldest, or the newest, that fit one request together, in the order they were collected; at least one
   * where any waits. What is lent is not pushed out, until it is removed or given back.
   */
  lend(end: 'oldest' | 'newest'): readonly Collection[];
  /** Takes back what was lent, and gives the oldest that had to make room for what came in meanwhile. */
  giveBack(): readonly Drop[];
  /** Takes out what was delivered or refused for good. */
  remove(collections: readonly Collection[]): void;
  readonly size: number;
}

export interface Drop {
  readonly collection: Collection;
  readonly reason: 'queue_full' | 'queue_bytes_full';
}

export interface BacklogLimits {
  readonly collections: number;
  /** Of all that waits; the newest waits even where it alone is more. */
  readonly bytes: number;
  /** Of what is lent together. The Collector's OTLP receiver takes 4 MiB; the default leaves room. */
  readonly requestBytes?: number;
}

const defaultRequestBytes = 3 * 1_048_576;

export function createBacklog(limits: BacklogLimits): Backlog {
  const { requestBytes = defaultRequestBytes } = limits;
  let waiting: Collection[] = [];
  let lent: ReadonlySet<Collection> = new Set();

  /** How many from one end fit together. */
  const fitting = (end: 'oldest' | 'newest'): number => {
    let bytes = 0;
    for (let count = 0; count < waiting.length; count++) {
      bytes += (waiting.at(end === 'oldest' ? count : -1 - count) as Collection).request.length;
      if (bytes > requestBytes) return Math.max(1, count);
    }
    return waiting.length;
  };

  /** Takes out the oldest until the rest is within the limits. */
  function makeRoom(): readonly Drop[] {
    const free = waiting.filter((collection) => !lent.has(collection));
    let bytes = sum(free);
    const drops: Drop[] = [];
    for (const collection of free.slice(0, -1)) {
      const left = free.length - drops.length;
      if (left <= limits.collections && bytes <= limits.bytes) break;
      drops.push({ collection, reason: left > limits.collections ? 'queue_full' : 'queue_bytes_full' });
      bytes -= collection.request.length;
    }
    takeOut(drops.map(({ collection }) => collection));
    return drops;
  }

  function takeOut(collections: readonly Collection[]): void {
    if (collections.length === 0) return;
    const gone = new Set(collections);
    waiting = waiting.filter((collection) => !gone.has(collection));
  }

  return {
    push(collection) {
      const last = waiting.at(-1);
      if (last?.kind === 'heartbeat' && !lent.has(last)) waiting.pop();
      waiting.push(collection);
      return makeRoom();
    },
    lend(end) {
      const count = fitting(end);
      const collections =
        count === 0 ? [] : end === 'oldest' ? waiting.slice(0, count) : waiting.slice(-count);
      lent = new Set(collections);
      return collections;
    },
    giveBack() {
      lent = new Set();
      waiting = waiting.filter(({ kind }, index) => kind === 'snapshot' || index === waiting.length - 1);
      return makeRoom();
    },
    remove(collections) {
      takeOut(collections);
      lent = new Set();
    },
    get size() {
      return waiting.length;
    },
  };
}

const sum = (collections: readonly Collection[]) =>
  collections.reduce((bytes, { request }) => bytes + request.length, 0);
