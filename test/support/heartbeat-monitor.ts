import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface MonitorRequest {
  /** `GET /ping`, as the request line has it. */
  readonly line: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}

export interface HeartbeatMonitor {
  /** `http://127.0.0.1:PORT`. */
  readonly address: string;
  readonly requests: readonly MonitorRequest[];
  lines(): readonly string[];
  /** What is answered from now on; 200 otherwise. */
  reply(answer: (response: ServerResponse, request: MonitorRequest) => void): void;
}

/** An HTTP server that notes what it is asked. */
export async function startHeartbeatMonitor(): Promise<HeartbeatMonitor> {
  const requests: MonitorRequest[] = [];
  let answer: (response: ServerResponse, request: MonitorRequest) => void = (response) => response.end('OK');
  const server = createServer(async (message, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk);
    const request = {
      line: `${message.method} ${message.url}`,
      body: Buffer.concat(chunks).toString(),
      headers: message.headers,
    };
    requests.push(request);
    answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    lines: () => requests.map(({ line }) => line),
    reply(next) {
      answer = next;
    },
  };
}
