import { once } from 'node:events';
import { createServer } from 'node:net';

const given = new Set<number>();

/**
 * A port of 127.0.0.1 that is free, for a program that wants to be told one; none is given twice by one process.
 *
 * It may be taken until the program listens. So it is none of those that Linux gives to connections and to listeners
 * without a port of their own (32768 and above), nor one of Kubernetes' (30000 and above), and it is drawn at random,
 * because tests run in several processes.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if (!given.has(port) && (await isFree(port))) {
      given.add(port);
      return port;
    }
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return false;
    throw error;
  }
  await once(server.close(), 'close');
  return true;
}
