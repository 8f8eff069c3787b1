import { ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';

/**
 * What was collected at one moment, with its own timestamps.
 *
 * A `heartbeat` only keeps series alive while nothing is new. All it says is said again by the next collection, so one
 * that still waits is replaced instead of queued behind.
 */
export interface Collection {
  readonly kind: 'snapshot' | 'heartbeat';
  /** A serialized ExportMetricsServiceRequest: what it weighs is known, and nothing else has to be kept. */
  readonly request: Uint8Array;
}

export function encodeMetrics(metrics: ResourceMetrics): Uint8Array {
  const bytes = ProtobufMetricsSerializer.serializeRequest(metrics);
  if (bytes === undefined) throw new TypeError('metrics could not be serialized');
  return bytes;
}

/**
 * One request of many. Messages of Protocol Buffers that are joined are the message whose repeated fields are joined,
 * so each collection keeps its own points and times. Source: Protocol Buffers, "Encoding", "Last One Wins".
 */
export function coalesce(collections: readonly Collection[]): Uint8Array {
  const [first, ...others] = collections;
  if (first === undefined) throw new RangeError('nothing to coalesce');
  return others.length === 0 ? first.request : Buffer.concat(collections.map(({ request }) => request));
}
