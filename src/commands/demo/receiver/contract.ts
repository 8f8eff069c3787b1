import type { Metadata, ServerCredentials } from '@grpc/grpc-js';
import type { WirePartialSuccess } from './codec.ts';
import type { Point } from './point.ts';

export type ReceiverResponse =
  | { readonly status: 'ok'; readonly partialSuccess?: WirePartialSuccess }
  /** `code` is a gRPC status, `metadata` becomes the trailers. */
  | {
      readonly status: 'error';
      readonly code: number;
      readonly message?: string;
      readonly metadata?: Metadata;
    }
  /** The call is accepted and never answered. */
  | { readonly status: 'hang' };

export interface ReceivedRequest {
  /** Unix time in milliseconds. */
  readonly receivedAtMs: number;
  readonly points: readonly Point[];
  /** The headers that the caller set. Several values of one header are joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Size of the message in bytes, before compression. */
  readonly bytes: number;
  /** The response; also `hang` until it is decided. */
  readonly reply: ReceiverResponse['status'];
}

/** Decides the response. `n` is 1 for the first request since this function was set. */
export type Replier = (
  request: Omit<ReceivedRequest, 'reply'>,
  n: number,
) => ReceiverResponse | Promise<ReceiverResponse>;

export interface Receiver {
  readonly port: number;
  readonly endpoint: string;
  /** The latest `keep` requests, accepted and rejected, in order of arrival. */
  readonly requests: readonly ReceivedRequest[];
  /** The points of one metric in accepted requests, in order of arrival. */
  points(metric: string): readonly Point[];
  /** Changes the response from the next request on; initially each request is accepted. */
  reply(next: Replier): void;
  /**
   * Resolves once the condition holds; it is checked now, at each request and at each response. Rejects after `timeoutMs`
   * (10,000) or when the receiver stops, with a summary of what arrived.
   */
  waitFor(condition: (receiver: Receiver) => boolean, what: string, timeoutMs?: number): Promise<void>;
  /** Cancels open calls, closes all connections and frees the port. */
  stop(): Promise<void>;
}

export interface ReceiverOptions {
  /** 0, the default, is a free port. */
  readonly port?: number;
  /** `127.0.0.1` if not given. */
  readonly host?: string;
  /** Plaintext if not given. */
  readonly credentials?: ServerCredentials;
  /** Called once a request is answered (or left hanging). */
  readonly onRequest?: (request: ReceivedRequest) => void;
  /** How many requests are kept; all if not given. */
  readonly keep?: number;
}
