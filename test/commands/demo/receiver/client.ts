import { Client, credentials, type Metadata } from '@grpc/grpc-js';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import {
  AggregationTemporality,
  MeterProvider,
  type MeterProviderOptions,
  MetricReader,
  type PushMetricExporter,
} from '@opentelemetry/sdk-metrics';

class PullReader extends MetricReader {
  protected override async onForceFlush() {}
  protected override async onShutdown() {}
}

/** A real MeterProvider that is collected when the test says so. */
export function createMeter(
  options: Omit<MeterProviderOptions, 'readers'> = {},
  temporality = AggregationTemporality.CUMULATIVE,
) {
  const reader = new PullReader({ aggregationTemporalitySelector: () => temporality });
  const provider = new MeterProvider({ ...options, readers: [reader] });
  const collect = async () => (await reader.collect()).resourceMetrics;
  return { meter: provider.getMeter('test-scope'), collect };
}

type ExporterConfig = NonNullable<ConstructorParameters<typeof OTLPMetricExporter>[0]>;

export const createExporter = (url: string, options: ExporterConfig = {}) =>
  new OTLPMetricExporter({ url, ...options });

export const gzip = { compression: 'gzip' as NonNullable<ExporterConfig['compression']> };

export type Collected = Parameters<PushMetricExporter['export']>[0];

/** The exporter's own result: code 0 is success. */
export function exportOnce(exporter: PushMetricExporter, metrics: Collected) {
  return new Promise<Parameters<Parameters<PushMetricExporter['export']>[1]>[0]>((resolve) => {
    exporter.export(metrics, resolve);
  });
}

export type Answer =
  | { readonly status: 'ok'; readonly response: Buffer }
  | {
      readonly status: 'error';
      readonly code: number;
      readonly details: string;
      readonly metadata: Metadata;
    };

/** Sends bytes as they are, once, without an exporter's retries. */
export function sendBytes(port: number, bytes: Uint8Array, metadata?: Metadata): Promise<Answer> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  const path = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export';
  const same = (buffer: Buffer) => buffer;
  return new Promise((resolve) => {
    const done = (error: Omit<Extract<Answer, { status: 'error' }>, 'status'> | null, response?: Buffer) => {
      client.close();
      const failure = error && { code: error.code, details: error.details, metadata: error.metadata };
      resolve(failure ? { status: 'error', ...failure } : { status: 'ok', response: response as Buffer });
    };
    const body = Buffer.from(bytes);
    if (metadata === undefined) client.makeUnaryRequest(path, same, same, body, done);
    else client.makeUnaryRequest(path, same, same, body, metadata, done);
  });
}
