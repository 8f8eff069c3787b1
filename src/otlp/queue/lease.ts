/** Which requests are leased. */
export type QueueEnd = 'oldest' | 'newest';

/** Requests on loan from a queue, oldest first, until each is acknowledged or the rest given back. */
export interface Lease<R> {
  readonly requests: readonly R[];
  /** Removes requests that were delivered or rejected. */
  ack(requests: readonly R[]): void;
  /** Gives back those that are not acknowledged; the lease is over. */
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
