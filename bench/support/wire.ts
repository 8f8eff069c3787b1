import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Point } from '../../src/commands/demo/receiver/point.ts';
import { type Receiver, startReceiver } from '../../src/commands/demo/receiver/receiver.ts';
import { until } from '../../test/support/until.ts';
import type { Built } from './bundle.ts';
import { start } from './process.ts';
import { startCountingProxy } from './proxy.ts';
import { createWriter } from './writer.ts';

export interface WireCost {
  /** Bytes of one export on the wire, to the Collector and back, connection set-up left out. */
  readonly sent: number;
  readonly received: number;
  /** Snapshots in one export; 0 if it only keeps the series alive. */
  readonly snapshots: number;
  /** The request itself, before compression. */
  readonly message: number;
  /** Points of one export, and the series Prometheus makes of them. */
  readonly points: number;
  readonly series: number;
}

export interface WireOptions {
  /** Snapshots in each export; 0 for exports that only keep the series alive. */
  readonly snapshots: number;
  readonly exports: number;
}

/** The first exports carry the connection's set-up, and headers that HPACK refers to from then on. */
const settling = 5;
const pollMs = 10;

/** Counts what exports of the bridge cost on the wire, between the bridge in a process of its own and a receiver. */
export async function measureWire(built: Built, { snapshots, exports }: WireOptions): Promise<WireCost> {
  const receiver = await startReceiver();
  const proxy = await startCountingProxy(receiver.port);
  const file = join(built.folder, 'current.json');
  const writer = createWriter(file);
  // The state before the first batch has fewer values than all that follow.
  writer.write();
  writer.write();
  const bridge = start(built.bridge, {
    METRICS_FILE_PATH: file,
    OTEL_EXPORTER_OTLP_ENDPOINT: proxy.endpoint,
    OTEL_METRIC_EXPORT_INTERVAL: snapshots > 0 ? '30000' : '50',
    COLLECTION_INTERVAL: String(pollMs / 1_000),
    // Snapshots wait until they are half of the queue.
    EXPORT_MIN_INTERVAL: snapshots > 1 ? '30' : '0',
    EXPORT_QUEUE_SIZE: String(Math.max(2, 2 * snapshots)),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'error',
  });
  const nextExport = async () => {
    const before = receiver.requests.length;
    const isExported = () => receiver.requests.length > before;
    if (snapshots === 1) writer.write();
    // A write that no poll has seen would be missing, so it goes on until there are enough.
    while (snapshots > 1 && !isExported()) {
      writer.write();
      await sleep(4 * pollMs);
    }
    await until(isExported, 'an export');
  };
  try {
    await until(() => receiver.requests.length > 0, 'the first export');
    for (let n = 0; n < settling; n++) await nextExport();
    const before = { ...proxy.bytes, requests: receiver.requests.length };
    for (let n = 0; n < exports; n++) await nextExport();
    const count = receiver.requests.length - before.requests;
    return {
      sent: (proxy.bytes.sent - before.sent) / count,
      received: (proxy.bytes.received - before.received) / count,
      snapshots,
      ...contents(receiver),
    };
  } finally {
    await bridge.stop();
    await proxy.stop();
    await receiver.stop();
  }
}

function contents({ requests }: Receiver): Pick<WireCost, 'message' | 'points' | 'series'> {
  const { bytes: message, points } = requests.at(-1) as Receiver['requests'][number];
  const latest = new Map(
    points.map((point) => [`${point.metric} ${JSON.stringify(point.attributes)}`, point]),
  );
  const series = [...latest.values()].reduce((sum, point) => sum + seriesOf(point), 0);
  return { message, points: points.length, series };
}

/** Series in Prometheus: a histogram has one a bucket, the one without bound included, its sum and its count. */
export function seriesOf({ kind, bounds }: Pick<Point, 'kind' | 'bounds'>): number {
  return kind === 'histogram' ? (bounds?.length ?? 0) + 3 : 1;
}
