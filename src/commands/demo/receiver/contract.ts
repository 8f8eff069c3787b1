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
  /** Those the caller set; a header with several values has them joined by a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** Size of the message in bytes, before compression. */
  readonly bytes: number;
  /** How it was answered; `hang` also while the answer is still being decided. */
  readonly reply: ReceiverResponse['status'];
}

/** Decides an answer. `n` is 1 for the first request since this function was set. */
export type Replier = (
  request: Omit<ReceivedRequest, 'reply'>,
  n: number,
) => ReceiverResponse | Promise<ReceiverResponse>;

export interface Receiver {
  readonly port: number;
  readonly endpoint: string;
  /** Accepted and refused ones, in the order they came; the latest `keep`. */
  readonly requests: readonly ReceivedRequest[];
  /** The points of one metric, of accepted requests only, in the order they came. */
  points(metric: string): readonly Point[];
  /** Changes how requests are answered from the next one on; at first each is accepted. */
  reply(next: Replier): void;
  /**
   * Resolves once the condition holds, which is looked at now, at each request and at each answer. Rejects after
   * `timeoutMs` (10 000) or when the receiver stops, and says what had arrived.
   */
  waitFor(condition: (receiver: Receiver) => boolean, what: string, timeoutMs?: number): Promise<void>;
  /** Cancels open calls, closes all connections and frees the port. */
  stop(): Promise<void>;
}

export interface ReceiverOptions {
  /** 0, the default, takes a free one. */
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
