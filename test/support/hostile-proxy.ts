import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** What becomes of the connections that are made, and of those that are open, from now on. */
export type Mischief =
  /** Bytes go through. */
  | 'pass'
  /** The connection stays, and nothing comes through it. */
  | 'drop'
  /** Each piece waits for a while. */
  | 'delay'
  /** An RST after the first bytes. */
  | 'reset'
  /** The connection ends in the middle of what the server answers. */
  | 'truncate'
  /** Bytes that are no HTTP/2. */
  | 'garbage';

export interface HostileProxy {
  readonly endpoint: string;
  /** Connections on which a mischief was done, since the start. */
  readonly done: Readonly<Record<Mischief, number>>;
  /** Closes what is open. */
  turn(mischief: Mischief): void;
}

const delayMs = 40;

/** Passes TCP connections on to a port of this machine, or does something else to them. */
export async function startHostileProxy(port: number): Promise<HostileProxy> {
  const sockets = new Set<Socket>();
  const done = { pass: 0, drop: 0, delay: 0, reset: 0, truncate: 0, garbage: 0 };
  let present: Mischief = 'pass';

  const server = createServer((client) => {
    const mischief = present;
    const upstream = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    const forward = (to: Socket, chunk: Buffer) => {
      if (!to.destroyed) to.write(chunk);
    };
    client.once('data', () => {
      done[mischief] += 1;
    });
    client.on('data', (chunk: Buffer) => {
      if (mischief === 'reset') client.resetAndDestroy();
      else if (mischief === 'garbage') client.write(Buffer.alloc(64 * 1024, 0xa5));
      else if (mischief === 'delay') setTimeout(forward, delayMs, upstream, chunk);
      else if (mischief !== 'drop') forward(upstream, chunk);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (mischief === 'pass') forward(client, chunk);
      else if (mischief === 'delay') setTimeout(forward, delayMs, client, chunk);
      else if (mischief === 'truncate') client.end(chunk.subarray(0, chunk.length / 2));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const closeAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    server.close();
    closeAll();
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    done,
    turn(mischief) {
      present = mischief;
      closeAll();
    },
  };
}
