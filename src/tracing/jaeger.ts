const gone = [
  'JAEGER_AGENT_HOST',
  'JAEGER_AGENT_PORT',
  'JAEGER_ENDPOINT',
  'OTEL_EXPORTER_JAEGER_AGENT_HOST',
  'OTEL_EXPORTER_JAEGER_AGENT_PORT',
  'OTEL_EXPORTER_JAEGER_ENDPOINT',
];

/**
 * What to tell someone who still sets the variables of the Jaeger agent; undefined where none is set. The agent and
 * the clients that spoke to it are gone, and Jaeger takes OTLP since 1.35.
 */
export function jaegerAgentWarning(
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const set = gone.filter((name) => environment[name]?.trim());
  if (set.length === 0) return undefined;
  const host = environment.JAEGER_AGENT_HOST ?? environment.OTEL_EXPORTER_JAEGER_AGENT_HOST ?? '';
  const example = /^[\w.-]+$/.test(host) ? host : 'otel-collector';
  return (
    `${set.join(' and ')} ${set.length === 1 ? 'is' : 'are'} not read: the Jaeger agent is gone. Jaeger and the ` +
    `OpenTelemetry Collector take OTLP: set OTEL_EXPORTER_OTLP_ENDPOINT, for example http://${example}:4317`
  );
}
