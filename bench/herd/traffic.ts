import { subscribe } from 'node:diagnostics_channel';

/** What this process has sent so far. */
export interface Traffic {
  readonly connections: number;
  readonly requests: number;
}

const count = { connections: 0, requests: 0 };

/** Connections that were begun, whether they succeeded or not. */
subscribe('net.client.socket', () => {
  count.connections += 1;
});

/** Requests of HTTP/2, so only those of gRPC. */
subscribe('http2.client.stream.start', () => {
  count.requests += 1;
});

export const traffic = (): Traffic => ({ ...count });
