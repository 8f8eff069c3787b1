import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { ConsoleSpanExporter, type SpanExporter } from '@opentelemetry/sdk-trace';
import { readEndpoint } from '../common/endpoint.ts';
import { createFallbackExporter } from './fallback-exporter.ts';
import type { TracingValues } from './settings.ts';

interface ExporterOptions {
  readonly values: TracingValues;
  readonly endpoint: string | undefined;
  readonly fallback: 'console' | 'none';
  readonly log: (message: string) => void;
}

const certificateFiles = ['CERTIFICATE', 'CLIENT_KEY', 'CLIENT_CERTIFICATE'].flatMap((suffix) => [
  `OTEL_EXPORTER_OTLP_TRACES_${suffix}`,
  `OTEL_EXPORTER_OTLP_${suffix}`,
]);

/** Creates the exporter that the variables select; undefined for `none`. Throws if the address cannot be used. */
export function createExporterFromSettings({
  values,
  endpoint,
  fallback,
  log,
}: ExporterOptions): SpanExporter | undefined {
  if (values.exporter === 'none') return undefined;
  if (values.exporter === 'console') return new ConsoleSpanExporter();
  const url = exporterUrl(values.endpoint ?? endpoint ?? 'http://localhost:4317', values.insecure, log);
  return createFallbackExporter(new OTLPTraceExporter({ url }), {
    destination: url,
    fallback: fallback === 'console' ? () => new ConsoleSpanExporter() : undefined,
    log,
  });
}

/**
 * The URL that makes the official exporter connect to the address in the same way as the bridge, so that one variable
 * works for both. Given `otel-collector:4317`, the exporter alone would use TLS. It uses plaintext only for `http://`,
 * and drops port 80 after it.
 */
function exporterUrl(address: string, insecure: boolean | undefined, log: (message: string) => void): string {
  const certificates = certificateFiles.some((name) => process.env[name]?.trim());
  const reading = readEndpoint(address, { insecure, certificates });
  if (reading.status === 'invalid')
    throw new Error(`the address of the Collector cannot be used: ${reading.reason}`);
  const { target, transport, warnings } = reading.endpoint;
  if (target.startsWith('unix:')) {
    if (transport === 'plaintext' && insecure !== true)
      throw new Error('a Unix socket needs OTEL_EXPORTER_OTLP_INSECURE=true');
    return target;
  }
  if (transport === 'plaintext' && target.endsWith(':80'))
    throw new Error('the exporter does not support plaintext on port 80; use another port, or https://');
  for (const warning of warnings) log(warning);
  return `${transport === 'tls' ? 'https' : 'http'}://${target}`;
}
