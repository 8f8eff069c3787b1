import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import { until } from './until.ts';

export interface BlackHole {
  readonly port: number;
  /** Frees the port. */
  stop(): Promise<void>;
}

const listener = `
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port));`;

/**
 * A port of which connections are neither accepted nor refused, as behind a firewall that drops packets: the process that
 * listens is stopped, and its backlog is full. Only Linux drops the packets of further connections.
 */
export async function startBlackHole(): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', listener], { stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
  };
  onTestFinished(stop);
  const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)));
  child.kill('SIGSTOP');
  let connected = 0;
  const sockets = Array.from({ length: 8 }, () =>
    connect(port, '127.0.0.1', () => {
      connected += 1;
    }).on('error', () => undefined),
  );
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  await until(() => connected >= 2, 'a full backlog');
  return { port, stop };
}
