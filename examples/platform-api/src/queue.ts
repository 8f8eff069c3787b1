import {
  type Attributes,
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
} from '@opentelemetry/api';
import { withSpan } from 'ml-metrics-bridge/tracing';
import type { Redis } from './redis.ts';
import type { Training } from './submit.ts';

const stream = 'training-jobs';
const group = 'workers';

/** A training that a worker has taken from the queue. */
export interface Delivery {
  readonly id: string;
  readonly training: Training;
  /** Contains the span that sent the message. */
  readonly sender: Context;
  /** A worker took the message before and did not acknowledge it. It may have submitted the job. */
  readonly redelivered: boolean;
}

export type Queue = ReturnType<typeof queueIn>;

/**
 * The trainings that wait to be submitted, in a Redis stream.
 *
 * @param redeliverAfterMs when a message is delivered again that was not acknowledged; longer than a submission takes
 */
export function queueIn(redis: Redis, redeliverAfterMs = 60_000) {
  const readAbandoned = async (consumer: string) => {
    const { messages } = await redis.xAutoClaim(stream, group, consumer, redeliverAfterMs, '0', { COUNT: 1 });
    return messages.find((message) => message !== null);
  };
  const readNew = async (consumer: string) => {
    const from = { key: stream, id: '>' };
    const streams = await redis.xReadGroup(group, consumer, from, { COUNT: 1, BLOCK: 1000 });
    return streams?.[0]?.messages[0];
  };
  return {
    add: (training: Training): Promise<void> =>
      withSpan(`send ${stream}`, messagingAttributes('send'), () => send(redis, training), {
        kind: SpanKind.PRODUCER,
      }),
    /** Has to be called once before `take`. */
    prepare: async (): Promise<void> => {
      await redis.xGroupCreate(stream, group, '0', { MKSTREAM: true }).catch((error: Error) => {
        if (!error.message.startsWith('BUSYGROUP')) throw error;
      });
    },
    /** Waits up to a second for a training, and blocks the connection while it waits. */
    take: async (consumer: string): Promise<Delivery | undefined> => {
      const abandoned = await readAbandoned(consumer);
      const message = abandoned ?? (await readNew(consumer));
      if (message === undefined) return undefined;
      const { training = '', ...headers } = message.message;
      return {
        id: message.id,
        training: JSON.parse(training) as Training,
        sender: propagation.extract(ROOT_CONTEXT, headers),
        redelivered: abandoned !== undefined,
      };
    },
    acknowledge: async (id: string): Promise<void> => {
      await redis.xAck(stream, group, id);
      await redis.xDel(stream, id);
    },
    ping: async (): Promise<void> => void (await redis.ping()),
  };
}

/** The trace context is in fields of the message, as it is in headers of an HTTP request. */
async function send(redis: Redis, training: Training): Promise<void> {
  const fields: Record<string, string> = { training: JSON.stringify(training) };
  propagation.inject(context.active(), fields);
  await redis.xAdd(stream, '*', fields);
}

/** Runs `fn` in the span of the message's processing, as a child of the span that sent it. */
export function withDelivery({ id, sender }: Delivery, fn: () => Promise<void>): Promise<void> {
  const attributes = { ...messagingAttributes('process'), 'messaging.message.id': id };
  return withSpan(`process ${stream}`, attributes, fn, { kind: SpanKind.CONSUMER, parent: sender });
}

/** Source: OpenTelemetry semantic conventions for messaging spans. */
const messagingAttributes = (operation: 'send' | 'process'): Attributes => ({
  'messaging.system': 'redis',
  'messaging.destination.name': stream,
  'messaging.operation.name': operation,
  'messaging.operation.type': operation,
});
