const proxies = /^(https?|grpc|no)_proxy$/i;

/**
 * Removes the variables that the exporters and gRPC would read by themselves. All of OTLP comes from the configuration,
 * where their meaning is checked; the way to a Collector is never through a proxy.
 */
export function removeExporterVariables(environment: Record<string, string | undefined>): void {
  for (const name of Object.keys(environment))
    if (name.startsWith('OTEL_EXPORTER_OTLP_') || proxies.test(name)) delete environment[name];
}
