// The time from the write of the file to the Collector and to Prometheus, and the bytes of an export. Needs otelcol-contrib and prometheus on the PATH.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startReceiver } from '../src/commands/demo/receiver/receiver.ts';
import { until } from '../test/support/until.ts';
import type { BenchmarkTable } from '../tools/generate/tables/performance.ts';
import { buildAsInImage } from './support/bundle.ts';
import { readOptions } from './support/options.ts';
import { start } from './support/process.ts';
import { publish } from './support/result.ts';
import { startStack } from './support/stack.ts';
import { measured, quantile, significant } from './support/statistics.ts';
import { measureWire, type WireCost } from './support/wire.ts';
import { createWriter } from './support/writer.ts';

/** `seconds` are those of the latency; `exports` are counted of each content. */
const options = readOptions({ seconds: 90, exports: 50 });
const pollMs = 200;
const contents = [
  { label: 'a new snapshot', snapshots: 1 },
  { label: 'five snapshots together', snapshots: 5 },
  { label: 'nothing new', snapshots: 0 },
];

const stepMetric = 'ml.training.batch_number';
const stepQuery = 'ml_training_batch_number_total';

/** When each step, which `batch_number` counts, was written, and when the Collector and Prometheus had it or a later one. */
const writtenAt = new Map<number, number>();
const latencies = { collector: [] as number[], prometheus: [] as number[] };

/** Notes that a place has reached a step: what was written up to it is there. */
function createArrivals(into: number[]) {
  let reached = 0;
  return (step: number, at: number) => {
    for (const [written, writtenMs] of writtenAt)
      if (written > reached && written <= step) into.push(at - writtenMs);
    reached = Math.max(reached, step);
  };
}
const atCollector = createArrivals(latencies.collector);
const atPrometheus = createArrivals(latencies.prometheus);

const receiver = await startReceiver({
  keep: 1,
  onRequest: ({ points }) => {
    const point = points.find(({ metric }) => metric === stepMetric);
    if (point) atCollector(point.value, performance.now());
  },
});
const built = await buildAsInImage();
const wire: { readonly label: string; readonly cost: WireCost }[] = [];
for (const { label, snapshots } of contents)
  wire.push({ label, cost: await measureWire(built, { snapshots, exports: options.exports }) });
const file = join(built.folder, 'current.json');
const writer = createWriter(file);
const stack = await startStack(built.folder, `127.0.0.1:${receiver.port}`);
writer.write();
const bridge = start(built.bridge, {
  METRICS_FILE_PATH: file,
  OTEL_EXPORTER_OTLP_ENDPOINT: stack.endpoint,
  COLLECTION_INTERVAL: String(pollMs / 1_000),
  EXPORT_MIN_INTERVAL: '0',
  HEALTH_PORT: '0',
  LOG_LEVEL: 'error',
});

const watch = new AbortController();
async function watchPrometheus(): Promise<void> {
  while (!watch.signal.aborted) {
    const step = await stack.query(stepQuery);
    if (step !== undefined) atPrometheus(step, performance.now());
    await sleep(20);
  }
}
const watching = watchPrometheus();

try {
  await until(() => receiver.requests.length > 0, 'the first export');
  const end = performance.now() + options.seconds * 1_000;
  while (performance.now() < end) {
    const begun = performance.now();
    writtenAt.set(writer.write(), begun);
    // More than a poll apart, so that each is seen, and at no fixed moment between two polls.
    await sleep(pollMs * (1.2 + Math.random()));
  }
  await until(() => latencies.prometheus.length === writtenAt.size, 'Prometheus to have all', 30_000);
} finally {
  watch.abort();
  await watching.catch(() => undefined);
  await bridge.stop();
  await stack.stop();
  await receiver.stop();
  built.remove();
}

const row = (label: string, list: readonly number[]) => ({
  label,
  cells: [0.5, 0.99].map((q) => measured([quantile(list, q)], 'ms')).concat(measured([list.length])),
});
const table: BenchmarkTable = {
  title: `From the write, with a poll each ${pollMs} ms and a scrape each 5 s`,
  columns: ['To', 'p50', 'p99', 'Snapshots'],
  rows: [
    row('the Collector, which has passed it on', latencies.collector),
    row('Prometheus, answering queries with it', latencies.prometheus),
  ],
};
const bytes: BenchmarkTable = {
  title: 'One export',
  columns: ['Content', 'To the Collector, gzip', 'Back', 'Message before compression', 'Points', 'Series'],
  rows: wire.map(({ label, cost: { sent, received, message, points, series } }) => ({
    label,
    cells: [
      ...[sent, received, message].map((value) => measured([value], 'B')),
      ...[points, series].map((value) => measured([value])),
    ],
  })),
};
publish('latency', options, {
  tables: [table, bytes],
  targets: [
    {
      what: 'From the write to the Collector beyond the poll interval, p99',
      unit: 'ms',
      atMost: 20,
      measured: significant(quantile(latencies.collector, 0.99) - pollMs),
    },
  ],
});
