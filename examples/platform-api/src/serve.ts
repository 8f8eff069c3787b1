import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { tracing } from './instrumentation.ts';

/** Serves an application on a port until SIGTERM or SIGINT, and then exports its remaining spans. */
export async function serve(app: Express, port: number): Promise<void> {
  const server = app.listen(port);
  await once(server, 'listening');
  console.log(`listening on port ${(server.address() as AddressInfo).port}`);
  await once(stopSignal(), 'abort');
  server.close();
  server.closeAllConnections();
  await exitWithSpans(0);
}

/** Aborted by SIGTERM or SIGINT. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => stop.abort());
  return stop.signal;
}

export async function exitWithSpans(exitCode: number): Promise<never> {
  await tracing.shutdown();
  process.exit(exitCode);
}
