import { context } from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import { createClient } from 'redis';

export type Redis = Awaited<ReturnType<typeof connectRedis>>;

/** A connected client. While Redis is unreachable, its commands fail at once, so that no request waits for it. */
export async function connectRedis(url: string) {
  const client = createClient({ url, disableOfflineQueue: true });
  client.on('error', ({ message }: Error) => console.error(`Redis: ${message}`));
  // The connection belongs to no request, and the instrumentation would begin a trace for it.
  await context.with(suppressTracing(context.active()), () => client.connect());
  return client;
}
