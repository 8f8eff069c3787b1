import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { ConsoleSpanExporter, type SpanExporter } from '@opentelemetry/sdk-trace';
import { readEndpoint } from '../common/endpoint.ts';
import { createFallbackExporter } from './fallback-exporter.ts';
import type { TracingValues } from './settings.ts';

export interface DestinationOptions {
  readonly values: TracingValues;
  readonly endpoint: string | undefined;
  readonly fallback: 'console' | 'none';
  readonly log: (message: string) => void;
}

const certificateFiles = ['CERTIFICATE', 'CLIENT_KEY', 'CLIENT_CERTIFICATE'].flatMap((suffix) => [
  `OTEL_EXPORTER_OTLP_TRACES_${suffix}`,
  `OTEL_EXPORTER_OTLP_${suffix}`,
]);

/** The exporter that the variables ask for; undefined for `none`. Throws where the address cannot be used. */
export function createExporterFromSettings({
  values,
  endpoint,
  fallback,
  log,
}: DestinationOptions): SpanExporter | undefined {
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
 * The address as the exporter reads it the way the bridge does, so that both take the same variable for the same
 * Collector: the exporter alone would speak TLS to `otel-collector:4317`. It chooses plaintext by `http://`, and drops
 * port 80 after it.
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
  if (/^ipv[46]:/.test(target))
    throw new Error(
      'a list of addresses is not taken by the exporter; give a name that leads to all of them',
    );
  if (transport === 'plaintext' && target.endsWith(':80'))
    throw new Error('plaintext on port 80 is not spoken by the exporter; use another port, or https://');
  for (const warning of warnings) log(warning);
  return `${transport === 'tls' ? 'https' : 'http'}://${target}`;
}
