import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-grpc';
import { emptyResource, type Resource } from '@opentelemetry/resources';
import type { ResourceMetrics } from '@opentelemetry/sdk-metrics';
import { type ExportRequest, requestOf } from './export-request.ts';
import { mergeScopeMetrics } from './merge-metrics.ts';
import type { OfficialExporterOptions, Signal } from './signal.ts';
import { weighMetrics } from './weight.ts';

export const metricsSignal: Signal<ResourceMetrics> = {
  name: 'metrics',
  createExporter: (options) => new OTLPMetricExporter(options as OptionsOf<typeof OTLPMetricExporter>),
  // Snapshots that were taken over from another bridge keep their own service.instance.id.
  canMerge: (one, other) => isSameResource(one.resource, other.resource),
  merge(all) {
    const [first = { resource: emptyResource(), scopeMetrics: [] }, ...others] = all;
    if (others.length === 0) return first;
    return { resource: first.resource, scopeMetrics: mergeScopeMetrics(all) };
  },
};

/** The exporter's own type takes an enum that it does not export. */
type OptionsOf<E extends new (options?: never) => unknown> = ConstructorParameters<E>[0] &
  OfficialExporterOptions;

export const metricsRequest = (
  kind: ExportRequest['kind'],
  metrics: ResourceMetrics,
): ExportRequest<ResourceMetrics> => requestOf(kind, metrics, weighMetrics);

function isSameResource(one: Resource, other: Resource): boolean {
  if (one === other) return true;
  const keys = Object.keys(one.attributes);
  return (
    keys.length === Object.keys(other.attributes).length &&
    keys.every((key) => one.attributes[key] === other.attributes[key])
  );
}
