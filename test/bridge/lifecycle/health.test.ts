import { connect, type Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startHealthServer } from '../../../src/bridge/lifecycle/health.ts';
import { until } from '../../support/until.ts';

const healthy = () => ({ healthy: true, reason: 'polled' });

async function serve(): Promise<number> {
  const server = await startHealthServer(0, { livez: healthy, readyz: healthy });
  if (server.status === 'failed') throw new Error(server.reason);
  onTestFinished(() => server.close());
  return server.port;
}

it('connections that never complete a request are closed, and a probe is then answered', async () => {
  const port = await serve();
  const openMs: number[] = [];
  let closed = 0;
  let answered = 0;
  const sockets = Array.from({ length: 300 }, () => {
    let startMs = Number.NaN;
    const socket = connect(port, '127.0.0.1', () => {
      startMs = performance.now();
      socket.write('GET /livez HTTP/1.1\r\n');
    });
    return socket
      .once('data', () => {
        answered += 1;
      })
      .on('error', () => undefined)
      .on('close', () => {
        closed += 1;
        openMs.push(performance.now() - startMs);
      });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await until(() => closed === 300, 'all to be closed');
  // Those that were open got 408, the others nothing.
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThanOrEqual(64);
  // A second is promised. The rest is for a busy machine, in which this process is also the client.
  expect(Math.max(...openMs)).toBeLessThan(4_000);
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
});

it('a probe is answered within its timeout while others take every connection again as soon as it is closed', async () => {
  const port = await serve();
  const open = new Set<Socket>();
  let isOver = false;
  const take = () => {
    if (isOver) return;
    const socket = connect(port, '127.0.0.1')
      .on('error', () => undefined)
      .on('close', () => {
        open.delete(socket);
        take();
      });
    open.add(socket);
  };
  onTestFinished(() => {
    isOver = true;
    for (const socket of open) socket.destroy();
  });
  for (let count = 0; count < 64; count++) take();
  // The timeout of a probe in Kubernetes, by default.
  const probe = () => fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(1_000) });
  for (let count = 0; count < 20; count++) expect((await probe()).status).toBe(200);
});
