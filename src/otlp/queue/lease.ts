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
