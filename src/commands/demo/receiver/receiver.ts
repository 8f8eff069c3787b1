import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { groupBy } from '../../../common/group-by.ts';
import { deferred, settlesWithin } from '../../../common/timing.ts';
import { decodeRequest, encodeResponse, type WirePartialSuccess } from './codec.ts';
import type { ReceivedRequest, Receiver, ReceiverOptions, ReceiverResponse, Replier } from './contract.ts';
import type { Point } from './point.ts';
import { createWaiting } from './waiting.ts';

export type { WirePartialSuccess } from './codec.ts';
export type { ReceivedRequest, Receiver, ReceiverOptions, ReceiverResponse, Replier } from './contract.ts';
export type { AttributeValue, Point } from './point.ts';

interface Call {
  readonly points: readonly Point[];
  readonly bytes: number;
}

const service: ServiceDefinition = {
  Export: {
    path: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    requestStream: false,
    responseStream: false,
    requestSerialize: () => Buffer.alloc(0),
    requestDeserialize: (bytes: Buffer): Call => ({ points: decodeRequest(bytes), bytes: bytes.length }),
    responseSerialize: encodeResponse,
    responseDeserialize: () => undefined,
  },
};

/**
 * An OTLP/gRPC metrics receiver in this process: a real server that keeps its requests and can reject them.
 * Requests over 4 MiB are rejected with RESOURCE_EXHAUSTED, as by the Collector. Rejects if the port is in use.
 */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { host = '127.0.0.1', credentials, keep = Number.POSITIVE_INFINITY } = options;
  const requests: ReceivedRequest[] = [];
  const waiting = createWaiting(summary);
  let nextReply = counted(() => ({ status: 'ok' }));

  const respond = async ({ request, metadata }: ServerUnaryCall<Call, unknown>, send: SendResponse) => {
    const arrived = { receivedAtMs: Date.now(), ...request, headers: headersOf(metadata) };
    const record = { ...arrived, reply: 'hang' as ReceiverResponse['status'] };
    requests.push(record);
    if (requests.length > keep) requests.shift();
    // Decided synchronously if possible, so that a waiter never sees a known answer as pending.
    const decision = nextReply(arrived);
    if (decision instanceof Promise) waiting.check(receiver);
    const reply = decision instanceof Promise ? await decision.catch(failed) : decision;
    record.reply = reply.status;
    if (reply.status === 'ok') send(null, reply.partialSuccess);
    if (reply.status === 'error')
      send({ code: reply.code, details: reply.message ?? '', ...trailers(reply) });
    options.onRequest?.(record);
    waiting.check(receiver);
  };

  const server = new Server();
  server.addService(service, {
    Export: (call: ServerUnaryCall<Call, unknown>, send: SendResponse) => {
      void respond(call, send);
    },
  });
  const address = host.includes(':') ? `[${host}]` : host;
  const port = await bind(
    server,
    `${address}:${options.port ?? 0}`,
    credentials ?? ServerCredentials.createInsecure(),
  );

  const receiver: Receiver = {
    port,
    endpoint: `${credentials === undefined ? 'http' : 'https'}://${address}:${port}`,
    requests,
    points: (metric) => accepted(requests).filter((point) => point.metric === metric),
    reply: (next) => {
      nextReply = counted(next);
    },
    waitFor: (condition, what, timeoutMs = 10_000) => waiting.wait(receiver, condition, what, timeoutMs),
    stop: async () => {
      waiting.rejectAll(receiver, 'but the receiver was stopped');
      await shutDown(server);
    },
  };
  return receiver;
}

type SendResponse = sendUnaryData<WirePartialSuccess | undefined>;

function counted(
  next: Replier,
): (request: Omit<ReceivedRequest, 'reply'>) => ReceiverResponse | Promise<ReceiverResponse> {
  let n = 0;
  return (request) => {
    try {
      return next(request, ++n);
    } catch (error) {
      return failed(error);
    }
  };
}

/** A reply function that throws causes an error response; the request does not hang. */
const failed = (error: unknown): ReceiverResponse => ({
  status: 'error',
  code: status.INTERNAL,
  message: `the reply could not be decided: ${error}`,
});

const trailers = ({ metadata }: { metadata?: Metadata }) => (metadata === undefined ? {} : { metadata });

const headersOf = (metadata: Metadata) =>
  Object.fromEntries(Object.keys(metadata.getMap()).map((key) => [key, metadata.get(key).join(',')]));

const accepted = (requests: readonly ReceivedRequest[]) =>
  requests.flatMap((request) => (request.reply === 'ok' ? request.points : []));

function summary({ requests }: Receiver): string {
  if (requests.length === 0) return 'nothing';
  const replies = [...groupBy(requests, ({ reply }) => reply)];
  const metrics = [...groupBy(accepted(requests), ({ metric }) => metric)];
  const count = ([name, list]: [string, readonly unknown[] | undefined]) => `${list?.length ?? 0} ${name}`;
  return `requests: ${replies.map(count).join(', ')}; points: ${metrics.map(count).join(', ') || 'none'}`;
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}

/**
 * The graceful shutdown reports when everything is closed; the forced one closes it immediately. gRPC never reports it if a
 * connection is just being closed by the client, so the wait has a limit.
 */
async function shutDown(server: Server): Promise<void> {
  const { promise, resolve } = deferred<void>();
  server.tryShutdown(() => resolve());
  server.forceShutdown();
  await settlesWithin(1_000, promise);
}
