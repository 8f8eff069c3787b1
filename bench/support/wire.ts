import { join } from 'node:path';
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
  /** The request itself, before compression. */
  readonly message: number;
  /** Points of one export, and the series Prometheus makes of them. */
  readonly points: number;
  readonly series: number;
}

export interface WireOptions {
  readonly compression: 'gzip' | 'none';
  /** Whether every export has a new snapshot, or only keeps the series alive. */
  readonly news: boolean;
  readonly exports: number;
}

/** The first exports carry the connection's set-up, and headers that HPACK refers to from then on. */
const settling = 5;

/** Counts what exports of the bridge cost on the wire, between the bridge in a process of its own and a receiver. */
export async function measureWire(
  built: Built,
  { compression, news, exports }: WireOptions,
): Promise<WireCost> {
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
    OTEL_EXPORTER_OTLP_COMPRESSION: compression,
    OTEL_METRIC_EXPORT_INTERVAL: news ? '30000' : '50',
    COLLECTION_INTERVAL: '0.01',
    EXPORT_MIN_INTERVAL: '0',
    HEALTH_PORT: '0',
    LOG_LEVEL: 'error',
  });
  const nextExport = async () => {
    const before = receiver.requests.length;
    if (news) writer.write();
    await until(() => receiver.requests.length > before, 'an export');
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
  return { message, points: points.length, series: points.reduce((sum, point) => sum + seriesOf(point), 0) };
}

/** Series in Prometheus: a histogram has one a bucket, the one without bound included, its sum and its count. */
export function seriesOf({ kind, bounds }: Pick<Point, 'kind' | 'bounds'>): number {
  return kind === 'histogram' ? (bounds?.length ?? 0) + 3 : 1;
}
