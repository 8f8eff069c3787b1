import { describe, expect, it } from 'vitest';
import { startBridge, type TestBridge } from '../../support/bridge.ts';
import { until } from '../../support/until.ts';
import { type Backend, type Series, startBackend, untilStored } from './backend.ts';

/** What 1, 5 and 10 minutes bring at one snapshot a second. Here they are written as fast as the bridge reads them. */
const snapshotCounts = [60, 300, 600] as const;
const exportIntervalMs = 15_000;
const kills = 100;
/** Spans have a connection of their own to the same Collector, whose backoff must not hold up the metrics. */
const traced = { OTEL_TRACES_EXPORTER: 'otlp' };

const loss = (step: number) => ({
  metrics: { epoch: 1, batch_number: step, training_loss: step, processing_time_ms: 7 },
});

/** What was read, by the time it was read at. */
const readBy = ({ polls }: TestBridge) =>
  polls.flatMap(({ outcome, moment }) =>
    outcome.status === 'ok'
      ? outcome.snapshots.map(({ snapshot }) => ({
          timeMs: Math.floor(moment.unixMs),
          value: Number(snapshot.values.training_loss),
        }))
      : [],
  );

/** The one series, or an error. */
function only(series: readonly Series[]) {
  expect(series).toHaveLength(1);
  return series[0]?.samples ?? [];
}

/** Every snapshot is stored once, at its own time; what lies between two of them repeats the earlier. */
async function expectEverySnapshot(bridge: TestBridge, backend: Backend) {
  const read = readBy(bridge);
  const stored = only(await backend.stored('ml_training_loss'));
  const has = (value: number, from: number, to: number) =>
    stored.some((it) => it.value === value && it.timeMs >= from && it.timeMs <= to);
  const missing = read.filter(
    ({ value, timeMs }, index) => !has(value, timeMs, read[index + 1]?.timeMs ?? Number.POSITIVE_INFINITY),
  );
  expect(missing).toEqual([]);
  for (const { timeMs, value } of stored)
    expect(value, `at ${timeMs}`).toBe(read.findLast((it) => it.timeMs <= timeMs)?.value);
}

/** A counter and a histogram's count say at each time what had been read until then: nothing missing, nothing twice. */
async function expectEveryCount(bridge: TestBridge, backend: Backend) {
  const read = readBy(bridge);
  for (const metric of ['ml_training_processing_time_milliseconds_count', 'ml_training_batch_number_total'])
    for (const { timeMs, value } of only(await backend.stored(metric)))
      expect(value, `${metric} at ${timeMs}`).toBe(read.filter((it) => it.timeMs <= timeMs).length);
}

describe('a Collector that is down', () => {
  it.each(snapshotCounts)('while %i snapshots are read: each is stored at its own time', async (count) => {
    const backend = await startBackend();
    const bridge = await startBridge({
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: backend.endpoint,
        OTEL_METRIC_EXPORT_INTERVAL: String(exportIntervalMs),
        ...traced,
      },
    });
    await bridge.write(loss(1));
    await untilStored(backend, 'ml_training_loss', 1);
    await backend.kill();
    for (let step = 2; step <= count + 1; step++) await bridge.write(loss(step));
    await backend.start();
    // The promise is a time here: what is scraped is of now again within one export interval.
    await until(
      async () => new RegExp(`^ml_training_loss\\{.*\\} ${count + 1}$`, 'm').test(await backend.scrape()),
      'the newest at the scrape',
      exportIntervalMs,
    );
    await untilStored(backend, 'ml_training_loss', count + 1);
    expect(await bridge.stop()).toMatchObject({ snapshots: count + 1, runs: 1, undelivered: 0 });
    await expectEverySnapshot(bridge, backend);
    await expectEveryCount(bridge, backend);
  });

  it(`by SIGKILL at ${kills} random moments of one run: nothing is missing, nothing counted twice`, {
    timeout: 300_000,
  }, async () => {
    const backend = await startBackend();
    const bridge = await startBridge({
      environment: {
        OTEL_EXPORTER_OTLP_ENDPOINT: backend.endpoint,
        OTEL_METRIC_EXPORT_INTERVAL: '200',
        ...traced,
      },
    });
    let step = 0;
    for (let kill = 0; kill < kills; kill++) {
      // A random number of snapshots, the last of them most likely under way.
      for (let more = 1 + Math.floor(Math.random() * 20); more > 0; more--) await bridge.write(loss(++step));
      await backend.kill();
      await bridge.write(loss(++step));
      await backend.start();
    }
    await bridge.write(loss(++step));
    await untilStored(backend, 'ml_training_loss', step);
    expect(await bridge.stop()).toMatchObject({ snapshots: step, runs: 1, undelivered: 0 });
    await expectEverySnapshot(bridge, backend);
    await expectEveryCount(bridge, backend);
  });
});
