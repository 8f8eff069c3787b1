import {
  type ChannelCredentials,
  Client,
  type ClientUnaryCall,
  type Metadata,
  type ServiceError,
} from './grpc.ts';
import type { Trouble } from './tls-trouble.ts';

/**
 * One method of a gRPC service, with messages as bytes. The SDK's exporters speak the same, but take the address as a
 * URL, which has no lists of addresses, and keep the response to themselves, which may say what was not accepted.
 */
export interface UnaryClient {
  /** Never rejects. */
  call(request: Uint8Array, metadata: Metadata): Promise<Answer>;
  /** Ends the connection, and calls under way with it: they fail as CANCELLED. */
  close(): void;
}

export type Answer =
  | { readonly status: 'ok'; readonly response: Uint8Array }
  | {
      readonly status: 'failed';
      readonly error: ServiceError;
      /** What is behind it, where that is known. */
      readonly trouble?: Trouble;
    };

export interface UnaryClientOptions {
  /** A gRPC name; of several addresses one is used at a time, the first that connects. */
  readonly target: string;
  /** `/package.Service/Method`. */
  readonly method: string;
  readonly credentials: ChannelCredentials;
  readonly compression: 'gzip' | 'none';
  /** The longest a call may take, connecting included. */
  readonly timeoutMs: number;
  readonly userAgent: string;
  /** The host name that TLS and HTTP/2 go by, where that is not the target's. */
  readonly authority?: string;
}

const gzip = 2;
const identity = 0;
const asIs = (bytes: Buffer) => bytes;

/** A client on a connection of its own. It connects at the first call. */
export function createUnaryClient(options: UnaryClientOptions): UnaryClient {
  const client = new Client(options.target, options.credentials, {
    'grpc.default_compression_algorithm': options.compression === 'gzip' ? gzip : identity,
    'grpc.primary_user_agent': options.userAgent,
    // A pool is where clients share connections, and the time one is not tried again, which may be two minutes.
    'grpc.use_local_subchannel_pool': 1,
    ...(options.authority !== undefined && {
      'grpc.default_authority': options.authority,
      'grpc.ssl_target_name_override': options.authority,
    }),
    // Nobody asks for its account of channels and calls.
    'grpc.enable_channelz': 0,
  });
  const underWay = new Set<ClientUnaryCall>();
  return {
    call: (request, metadata) =>
      new Promise((resolve) => {
        const call = client.makeUnaryRequest(
          options.method,
          asIs,
          asIs,
          Buffer.from(request.buffer, request.byteOffset, request.byteLength),
          metadata,
          { deadline: Date.now() + options.timeoutMs },
          (error, response) => {
            underWay.delete(call);
            resolve(
              error === null
                ? { status: 'ok', response: response ?? new Uint8Array() }
                : { status: 'failed', error },
            );
          },
        );
        underWay.add(call);
      }),
    close: () => {
      for (const call of underWay) call.cancel();
      client.close();
    },
  };
}
