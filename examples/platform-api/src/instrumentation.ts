// Loaded before all other modules: node --import ./src/instrumentation.ts
import { configureTracing } from 'ml-metrics-bridge/tracing/node';
import { instrument } from './instruments.ts';

/** Exports to OTEL_EXPORTER_OTLP_ENDPOINT. Default: http://localhost:4317. */
export const tracing = configureTracing({ serviceName: 'platform-api', serviceVersion: '0.1.0' });
instrument();
