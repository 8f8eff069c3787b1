import { expect, it } from 'vitest';
import { removeExporterVariables } from '../../src/otlp/environment.ts';

it('removes what the exporters and gRPC would read by themselves, and nothing else', () => {
  const environment: Record<string, string | undefined> = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=b',
    http_proxy: 'http://proxy:3128',
    HTTPS_PROXY: 'http://proxy:3128',
    grpc_proxy: 'http://proxy:3128',
    no_proxy: 'localhost',
    NO_PROXY: 'localhost',
    OTEL_SERVICE_NAME: 'bridge',
    PATH: '/bin',
  };
  removeExporterVariables(environment);
  expect(environment).toEqual({ OTEL_SERVICE_NAME: 'bridge', PATH: '/bin' });
});
