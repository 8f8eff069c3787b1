import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

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

/**
 * Connections that never complete a request must not take the files that the bridge may open, and must not keep probes
 * out, so the oldest is closed for a new one. A connection serves one request.
 */
const maxConnections = 64;
const maxConnectionMs = 1_000;
const longestTimerMs = 2 ** 31 - 1;

/** Serves `/livez` and `/readyz`: 200 or 503, and the reason as JSON. If the port is taken, the bridge runs without. */
export async function startHealthServer(port: number, checks: HealthChecks): Promise<HealthServer> {
  // `closeWhenLate` replaces Node's check of all connections, which wakes the process up also while there are none.
  const server = createServer({ connectionsCheckingInterval: longestTimerMs }, (request, response) => {
    const check = Object.entries(checks).find(([name]) => request.url?.split('?')[0] === `/${name}`)?.[1];
    const health = check?.() ?? { healthy: false, reason: 'only /livez and /readyz exist' };
    const code = check === undefined ? 404 : health.healthy ? 200 : 503;
    response.writeHead(code, { 'content-type': 'application/json', connection: 'close' });
    response.end(`${JSON.stringify({ status: health.healthy ? 'ok' : 'failed', reason: health.reason })}\n`);
  });
  server.on('connection', limitConnections());
  // An open probe must not keep the process alive once the bridge is done.
  server.unref();
  const failure = await listen(server, port);
  if (failure !== undefined) return { status: 'failed', reason: failure };
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { status: 'listening', port: (server.address() as AddressInfo).port, close };
}

/** `Server.maxConnections` would refuse the new connection, which may be a probe, and keep the old ones. */
function limitConnections(): (socket: Socket) => void {
  const oldestFirst = new Set<Socket>();
  return (socket) => {
    const [oldest] = oldestFirst;
    if (oldestFirst.size >= maxConnections && oldest !== undefined) {
      oldestFirst.delete(oldest);
      oldest.destroy();
    }
    oldestFirst.add(socket);
    socket.once('close', () => oldestFirst.delete(socket));
    closeWhenLate(socket);
  };
}

function closeWhenLate(socket: Socket): void {
  const timer = setTimeout(() => {
    socket.write('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    socket.destroySoon();
  }, maxConnectionMs);
  socket.once('close', () => clearTimeout(timer));
}

function listen(server: Server, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    // Stays registered: a later error, such as too many open files, then fails a probe and not the bridge.
    server.on('error', (error) => resolve(error.message));
    server.listen(port, () => resolve(undefined));
  });
}
