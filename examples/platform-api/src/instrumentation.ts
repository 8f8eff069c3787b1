// Loaded before anything else: node --import ./src/instrumentation.ts
import { configureTracing } from 'ml-metrics-bridge/tracing/node';
import { instrument } from './instruments.ts';

/** Sends to OTEL_EXPORTER_OTLP_ENDPOINT, http://localhost:4317 if it is not set. */
export const tracing = configureTracing({ serviceName: 'platform-api', serviceVersion: '0.1.0' });
instrument();
