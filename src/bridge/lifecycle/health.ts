import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface HealthStatus {
  readonly healthy: boolean;
  /** Why, for a person. */
  readonly reason: string;
}

export interface HealthChecks {
  readonly livez: () => HealthStatus;
  readonly readyz: () => HealthStatus;
}

export type HealthServer =
  | { readonly status: 'listening'; readonly port: number; close(): void }
  | { readonly status: 'failed'; readonly reason: string };

/** Serves `/livez` and `/readyz`: 200 or 503, and the reason as JSON. A port that is taken costs health alone. */
export async function startHealthServer(port: number, checks: HealthChecks): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const check = Object.entries(checks).find(([name]) => request.url?.split('?')[0] === `/${name}`)?.[1];
    const verdict = check?.() ?? { healthy: false, reason: 'there are /livez and /readyz' };
    const code = check === undefined ? 404 : verdict.healthy ? 200 : 503;
    response.writeHead(code, { 'content-type': 'application/json', connection: 'close' });
    response.end(
      `${JSON.stringify({ status: verdict.healthy ? 'ok' : 'failed', reason: verdict.reason })}\n`,
    );
  });
  // A probe must never keep a bridge alive that is done.
  server.unref();
  const failure = await listen(server, port);
  if (failure !== undefined) return { status: 'failed', reason: failure };
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { status: 'listening', port: (server.address() as AddressInfo).port, close };
}

function listen(server: Server, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Stays on: an error later, such as too many open files, costs a probe and not the bridge.
    server.on('error', (error) => resolve(error.message));
    server.listen(port, () => resolve(undefined));
  });
}
