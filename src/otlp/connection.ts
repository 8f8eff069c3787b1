import { readFileSync } from 'node:fs';
import type { Config } from '../config.ts';
import { type Answer, createUnaryClient } from './client.ts';
import { ChannelCredentials, Metadata } from './grpc.ts';

/** A connection to the Collector's metrics service. */
export interface Connection {
  /** Sends a serialized ExportMetricsServiceRequest; never rejects. */
  export(request: Uint8Array): Promise<Answer>;
  close(): void;
}

/** Makes connections; each new one is in no backoff of an earlier one's. Throws where a certificate cannot be read. */
export function connectionFactory(config: Config, version: string): () => Connection {
  return () => {
    const client = createUnaryClient({
      target: config.endpoint.target,
      method: '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
      credentials: channelCredentials(config),
      compression: config.compression,
      timeoutMs: config.timeoutMs,
      userAgent: `ml-metrics-bridge/${version}`,
    });
    const metadata = requestMetadata(config.headers);
    return { export: (request) => client.call(request, metadata), close: () => client.close() };
  };
}

function channelCredentials(config: Config): ChannelCredentials {
  if (config.endpoint.transport === 'plaintext') return ChannelCredentials.createInsecure();
  const read = (path: string | undefined) => (path === undefined ? null : readFileSync(path));
  return ChannelCredentials.createSsl(
    read(config.certificate),
    read(config.clientKey),
    read(config.clientCertificate),
  );
}

function requestMetadata(headers: Config['headers']): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  return metadata;
}
