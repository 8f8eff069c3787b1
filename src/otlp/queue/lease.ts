/** Which requests are leased. */
export type QueueEnd = 'oldest' | 'newest';

/** Requests that are leased from a queue, oldest first. The lease ends when all are acknowledged, or with `nack`. */
export interface Lease<R> {
  readonly requests: readonly R[];
  /** Removes requests that were delivered or rejected. */
  ack(requests: readonly R[]): void;
  /** Returns the requests that are not acknowledged to the queue and ends the lease. */
  nack(): void;
}

/** Two leases of a queue as one. */
export function joinLeases<R>(older: Lease<R>, newer: Lease<R>): Lease<R> {
  return {
    requests: [...older.requests, ...newer.requests],
    ack(requests) {
      older.ack(requests);
      newer.ack(requests);
    },
    nack() {
      older.nack();
      newer.nack();
    },
  };
}
