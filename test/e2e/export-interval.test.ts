import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { startBridge } from '../support/bridge.ts';
import { until } from '../support/until.ts';
import { startCollector } from './collector.ts';

/** The Collector drops a series 60 s after its last export; the interval that is asked for is five minutes. */
const observedMs = 80_000;

it('an export interval of minutes does not let a series expire in the Collector', {
  timeout: 150_000,
}, async () => {
  const collector = await startCollector();
  onTestFinished(() => collector.stop());
  const bridge = await startBridge({
    environment: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_METRIC_EXPORT_INTERVAL: '300000',
    },
    config: { collectionIntervalMs: 1000 },
  });
  await bridge.write({});
  const scraped = async () => (await fetch(collector.scrapeUrl)).text();
  const isThere = async () => /^ml_training_loss\{/m.test(await scraped());
  await until(isThere, 'the first export');

  const missingAtMs: number[] = [];
  const start = performance.now();
  for (let elapsedMs = 0; elapsedMs < observedMs; elapsedMs = performance.now() - start) {
    if (!(await isThere())) missingAtMs.push(elapsedMs);
    await sleep(1000);
  }
  expect(missingAtMs).toEqual([]);
});
