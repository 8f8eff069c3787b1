import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { startCountingProxy } from '../../bench/support/proxy.ts';
import { until } from '../support/until.ts';

it('passes on what it counts, each way apart', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('pong!'));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startCountingProxy((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await proxy.stop();
    server.close();
  });

  const socket = connect(Number(new URL(proxy.endpoint).port), '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write('ping');
  const [answer] = await once(socket, 'data');
  expect(String(answer)).toBe('pong!');
  await until(() => proxy.bytes.received > 0, 'the answer to be counted');
  expect(proxy.bytes).toEqual({ sent: 4, received: 5 });
  socket.destroy();
});
