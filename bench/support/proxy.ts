import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface CountingProxy {
  readonly endpoint: string;
  readonly port: number;
  /** Bytes of TCP payload since the start, HTTP/2 frames included, IP and TCP headers not. */
  readonly bytes: { readonly sent: number; readonly received: number };
  stop(): Promise<void>;
}

/** Passes TCP connections on to a port of this machine, and counts what goes through. */
export async function startCountingProxy(port: number): Promise<CountingProxy> {
  const bytes = { sent: 0, received: 0 };
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    client.on('data', (chunk) => {
      bytes.sent += chunk.length;
    });
    upstream.on('data', (chunk) => {
      bytes.received += chunk.length;
    });
    client.pipe(upstream).pipe(client);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = (server.address() as AddressInfo).port;
  return {
    endpoint: `http://127.0.0.1:${own}`,
    port: own,
    bytes,
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
