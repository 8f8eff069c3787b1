// What sending costs, and nothing else: one call of gRPC at each interval, always of the same bytes.
import { readFileSync } from 'node:fs';
import { Client, credentials, Metadata } from '@grpc/grpc-js';

const { TARGET: target = '', INTERVAL_MS = '1000', REQUEST = '' } = process.env;
const request = readFileSync(REQUEST);
const gzip = 2;
const client = new Client(target, credentials.createInsecure(), {
  'grpc.default_compression_algorithm': gzip,
});
const asIs = (bytes: Buffer) => bytes;
const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
// Node keeps compiled code when a process ends by itself.
process.once('SIGTERM', () => process.exit());
setInterval(() => {
  const deadline = Date.now() + 10_000;
  client.makeUnaryRequest(path, asIs, asIs, request, new Metadata(), { deadline }, () => undefined);
}, Number(INTERVAL_MS));
