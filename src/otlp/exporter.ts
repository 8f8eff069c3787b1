import { readFileSync } from 'node:fs';
import { type ChannelCredentials, credentials, Metadata } from '@grpc/grpc-js';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { ConsoleMetricExporter, type PushMetricExporter } from '@opentelemetry/sdk-metrics';
import type { Config } from '../config.ts';

/**
 * Makes an exporter on a connection of its own; a new one is made where the old one's connection is in doubt.
 *
 * gRPC shares connections, and the time it waits before it tries one again (up to two minutes), between clients with
 * the same options. The user agent is such an option, so counting the connections in it keeps them apart.
 */
export function exporterFactory(config: Config, version: string): () => PushMetricExporter {
  if (config.metricsExporter === 'console') return () => new ConsoleMetricExporter();
  let connections = 0;
  return () =>
    new OTLPMetricExporter({
      url: config.endpoint.exporterUrl,
      credentials: channelCredentials(config),
      metadata: requestMetadata(config.headers),
      compression: config.compression === 'gzip' ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE,
      timeoutMillis: config.timeoutMs,
      userAgent: `ml-metrics-bridge/${version} (connection ${++connections})`,
    });
}

function channelCredentials(config: Config): ChannelCredentials {
  if (config.endpoint.transport === 'plaintext') return credentials.createInsecure();
  const read = (path: string | undefined) => (path === undefined ? null : readFileSync(path));
  return credentials.createSsl(
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
