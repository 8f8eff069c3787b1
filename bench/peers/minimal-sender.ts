// What sending costs, and nothing else: one call of gRPC at each interval, always of the same bytes.
import { readFileSync } from 'node:fs';
import { createUnaryClient } from '../../src/otlp/client.ts';
import { metricsMethod } from '../../src/otlp/connection.ts';
import { ChannelCredentials, Metadata } from '../../src/otlp/grpc.ts';

const { TARGET: target = '', INTERVAL_MS = '1000', REQUEST = '' } = process.env;
const request = readFileSync(REQUEST);
const client = createUnaryClient({
  target,
  method: metricsMethod,
  credentials: ChannelCredentials.createInsecure(),
  compression: 'gzip',
  timeoutMs: 10_000,
  userAgent: 'minimal-sender',
});
// Node keeps compiled code when a process ends by itself.
process.once('SIGTERM', () => process.exit());
setInterval(() => client.call(request, new Metadata()), Number(INTERVAL_MS));
