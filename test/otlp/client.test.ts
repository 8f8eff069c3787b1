import { credentials, Metadata, status } from '@grpc/grpc-js';
import { expect, it, onTestFinished } from 'vitest';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { createUnaryClient } from '../../src/otlp/client.ts';

it('fails a call under way when it is closed', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  receiver.reply(() => ({ status: 'hang' }));
  const client = createUnaryClient({
    target: `127.0.0.1:${receiver.port}`,
    method: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    credentials: credentials.createInsecure(),
    compression: 'gzip',
    timeoutMs: 10_000,
    userAgent: 'test',
  });
  const call = client.call(new Uint8Array(), new Metadata());
  await receiver.waitFor(() => receiver.requests.length === 1, 'the call');
  client.close();
  expect(await call).toMatchObject({ status: 'failed', error: { code: status.CANCELLED } });
});
