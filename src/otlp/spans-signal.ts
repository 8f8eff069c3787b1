import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { type ExportRequest, requestOf } from './export-request.ts';
import type { Signal } from './signal.ts';
import { weighSpans } from './weight.ts';

export const spansSignal: Signal<ReadableSpan[]> = {
  name: 'traces',
  createExporter: (options) =>
    new OTLPTraceExporter(options as ConstructorParameters<typeof OTLPTraceExporter>[0]),
  canMerge: () => true,
  merge: (all) => all.flat(),
};

export const spansRequest = (spans: ReadableSpan[]): ExportRequest<ReadableSpan[]> =>
  requestOf('snapshot', spans, weighSpans);
