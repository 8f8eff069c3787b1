import { expect, it, onTestFinished } from 'vitest';
import { resolveExporters } from '../../src/bridge/console-fallback.ts';
import { startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { createLogger } from '../../src/common/logger.ts';
import { type LogLine, linesInto } from '../support/bridge.ts';
import { configOf } from '../support/config.ts';

it('a Collector that takes the connection and never answers holds up a start for three seconds at most', async () => {
  const { signal } = new AbortController();
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  receiver.reply(() => ({ status: 'hang' }));
  const log: LogLine[] = [];
  const config = configOf({
    OTEL_METRICS_EXPORTER: 'otlp,console',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
    OTEL_EXPORTER_OTLP_TIMEOUT: '60000',
  });
  const settled = await resolveExporters(config, '0.0.0', createLogger('info', linesInto(log)), signal);
  expect(settled.metricsExporter).toBe('console');
  expect(log).toMatchObject([
    {
      level: 'warn',
      message: 'Collector cannot be reached: metrics are printed',
      // gRPC counts by a clock of whole milliseconds and may report a few of them less.
      reason: expect.stringMatching(/after (2\.9[89]|3\.)\d*s/),
    },
  ]);
});

it('a shutdown does not wait for a Collector that does not answer, and what is left goes to the Collector', async () => {
  const receiver = await startReceiver();
  onTestFinished(() => receiver.stop());
  receiver.reply(() => ({ status: 'hang' }));
  const log: LogLine[] = [];
  const config = configOf({
    OTEL_METRICS_EXPORTER: 'otlp,console',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.endpoint,
  });
  const controller = new AbortController();
  const resolved = resolveExporters(config, '0.0.0', createLogger('info', linesInto(log)), controller.signal);
  await receiver.waitFor(() => receiver.requests.length > 0, 'the request that hangs');
  const startMs = performance.now();
  controller.abort();
  expect((await resolved).metricsExporter).toBe('otlp');
  expect(performance.now() - startMs).toBeLessThan(1_000);
  expect(log).toEqual([]);
});
