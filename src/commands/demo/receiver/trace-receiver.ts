import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';
import { encodeResponse, type WirePartialSuccess } from './codec.ts';
import { decodeSpans, type ReceivedSpan } from './span.ts';

export type TraceReply = 'ok' | 'hang' | number | WirePartialSuccess;

export interface TraceReceiver {
  readonly endpoint: string;
  /** All accepted spans, in order of arrival. */
  readonly spans: readonly ReceivedSpan[];
  /** Answers the next requests with this gRPC status; `hang` never answers. A partial success rejects as many spans. */
  answer(next: TraceReply): void;
  stop(): void;
}

export interface TraceReceiverOptions {
  /** 0, the default, is a free port. */
  readonly port?: number;
  /** Called for each accepted span. */
  readonly onSpan?: (span: ReceivedSpan) => void;
}

/** An OTLP/gRPC trace receiver in this process. Rejects if the port is in use. */
export async function startTraceReceiver(options: TraceReceiverOptions = {}): Promise<TraceReceiver> {
  const { port = 0, onSpan } = options;
  const spans: ReceivedSpan[] = [];
  let reply: TraceReply = 'ok';
  const server = new Server();
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: () => Buffer.alloc(0),
        requestDeserialize: (bytes: Buffer) => bytes,
        // Both signals' responses have the same fields.
        responseSerialize: encodeResponse,
        responseDeserialize: () => undefined,
      },
    },
    {
      Export: ({ request, metadata }: ServerUnaryCall<Buffer, unknown>, send: sendUnaryData<unknown>) => {
        if (reply === 'hang') return;
        if (typeof reply === 'number') return send({ code: reply, details: 'as told' });
        for (const span of decodeSpans(request, metadata.getMap())) {
          spans.push(span);
          onSpan?.(span);
        }
        return send(null, reply === 'ok' ? undefined : reply);
      },
    },
  );
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  return {
    endpoint: `http://127.0.0.1:${bound}`,
    spans,
    answer: (next) => {
      reply = next;
    },
    stop: () => server.forceShutdown(),
  };
}
