const proxies = /^(https?|grpc|no)_proxy$/i;

/**
 * Removes the variables that the exporters and gRPC would read by themselves. The configuration has already read and checked
 * them. The bridge never uses a proxy.
 */
export function removeExporterVariables(environment: Record<string, string | undefined>): void {
  for (const name of Object.keys(environment))
    if (name.startsWith('OTEL_EXPORTER_OTLP_') || proxies.test(name)) delete environment[name];
}
