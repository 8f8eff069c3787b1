import { connect } from 'node:net';
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
  let closed = 0;
  let answered = 0;
  const sockets = Array.from({ length: 300 }, () => {
    const socket = connect(port, '127.0.0.1', () => socket.write('GET /livez HTTP/1.1\r\n'));
    return socket
      .once('data', () => {
        answered += 1;
      })
      .on('error', () => undefined)
      .on('close', () => {
        closed += 1;
      });
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await until(() => closed === 300, 'all to be closed');
  // Those that were open got 408, the others nothing.
  expect(answered).toBeGreaterThan(0);
  expect(answered).toBeLessThanOrEqual(64);
  expect((await fetch(`http://127.0.0.1:${port}/livez`)).status).toBe(200);
});
