const agentVariables = [
  'JAEGER_AGENT_HOST',
  'JAEGER_AGENT_PORT',
  'JAEGER_ENDPOINT',
  'OTEL_EXPORTER_JAEGER_AGENT_HOST',
  'OTEL_EXPORTER_JAEGER_AGENT_PORT',
  'OTEL_EXPORTER_JAEGER_ENDPOINT',
];

/**
 * A warning for programs that still set variables of the Jaeger agent; undefined if none is set. The agent and its
 * clients no longer exist, and Jaeger accepts OTLP since 1.35.
 */
export function jaegerAgentWarning(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const set = agentVariables.filter((name) => environment[name]?.trim());
  if (set.length === 0) return undefined;
  const host = environment.JAEGER_AGENT_HOST ?? environment.OTEL_EXPORTER_JAEGER_AGENT_HOST ?? '';
  const example = /^[\w.-]+$/.test(host) ? host : 'otel-collector';
  return (
    `${set.join(' and ')} ${set.length === 1 ? 'is' : 'are'} not used: the Jaeger agent no longer exists. Jaeger and the ` +
    `OpenTelemetry Collector accept OTLP: set OTEL_EXPORTER_OTLP_ENDPOINT, for example http://${example}:4317`
  );
}
