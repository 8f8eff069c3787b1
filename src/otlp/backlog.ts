import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';

/**
 * What waits to be sent, oldest first, each with the timestamps it was collected with.
 *
 * A `heartbeat` only keeps series alive while nothing is new. All it says is said again by the next collection, so one
 * that still waits is replaced instead of queued behind.
 */
export interface Collection {
  readonly kind: 'snapshot' | 'heartbeat';
  readonly metrics: ResourceMetrics;
}

export interface Backlog {
  /** Appends, and says how many of the oldest had to make room. */
  push(collection: Collection): number;
  /**
   * Lends the oldest, or the newest, that fit one request together, in the order they were collected; at least one
   * where any waits. What is lent is not pushed out, until it is removed or given back.
   */
  lend(end: 'oldest' | 'newest'): readonly Collection[];
  /** Takes back what was lent, and says how many of the oldest had to make room for what came in meanwhile. */
  giveBack(): number;
  /** Takes out what was delivered or refused for good. */
  remove(collections: readonly Collection[]): void;
  readonly size: number;
}

/** The Collector's OTLP receiver takes 4 MiB at most; this leaves room for what surrounds the collections. */
const maxRequestBytes = 3 * 1_048_576;

export function createBacklog(limit: number, maxBytes: number = maxRequestBytes): Backlog {
  let waiting: Collection[] = [];
  let lent: ReadonlySet<Collection> = new Set();
  const sizes = new WeakMap<Collection, number>();

  const sizeOf = (collection: Collection): number => {
    const bytes = sizes.get(collection) ?? encodedSize(collection.metrics);
    sizes.set(collection, bytes);
    return bytes;
  };

  /** How many from one end fit together. A single one needs no measuring, and is what a well Collector always gets. */
  const fitting = (end: 'oldest' | 'newest'): number => {
    if (waiting.length < 2) return waiting.length;
    let bytes = 0;
    for (let count = 0; count < waiting.length; count++) {
      bytes += sizeOf(waiting.at(end === 'oldest' ? count : -1 - count) as Collection);
      if (bytes > maxBytes) return Math.max(1, count);
    }
    return waiting.length;
  };

  return {
    push(collection) {
      const last = waiting.at(-1);
      if (last?.kind === 'heartbeat' && !lent.has(last)) waiting.pop();
      waiting.push(collection);
      if (waiting.length - lent.size <= limit) return 0;
      const oldest = waiting.findIndex((candidate) => !lent.has(candidate));
      waiting.splice(oldest, 1);
      return 1;
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
      const excess = Math.max(0, waiting.length - limit);
      waiting.splice(0, excess);
      return excess;
    },
    remove(collections) {
      const gone = new Set(collections);
      waiting = waiting.filter((collection) => !gone.has(collection));
      lent = new Set();
    },
    get size() {
      return waiting.length;
    },
  };
}

/** One request of many collections. All come from one resource; each keeps its own points and times. */
export function coalesce(collections: readonly Collection[]): ResourceMetrics {
  const [first, ...others] = collections;
  if (first === undefined) throw new RangeError('nothing to coalesce');
  if (others.length === 0) return first.metrics;
  return {
    resource: first.metrics.resource,
    scopeMetrics: collections.flatMap(({ metrics }) => metrics.scopeMetrics),
  };
}

function encodedSize(metrics: ResourceMetrics): number {
  return ProtobufMetricsSerializer.serializeRequest(metrics)?.byteLength ?? 0;
}
