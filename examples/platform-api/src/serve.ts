import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Express } from 'express';
import { tracing } from './instrumentation.ts';

/** Serves an application on PORT until SIGTERM or SIGINT, and then exports its remaining spans. */
export async function serve(app: Express, port: number): Promise<void> {
  const server = app.listen(port);
  await once(server, 'listening');
  console.log(`listening on port ${(server.address() as AddressInfo).port}`);
  await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  server.close();
  server.closeAllConnections();
  await tracing.shutdown();
  process.exit(0);
}
