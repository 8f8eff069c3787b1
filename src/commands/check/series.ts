import type { Resource } from '@opentelemetry/resources';
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { bridgeMetrics, type InstrumentKind } from '../../catalogue/metrics.ts';
import { labelName, prometheusName, prometheusSeriesNames } from '../../catalogue/prometheus-name.ts';
import { keysOf } from '../../common/keys.ts';
import type { Config } from '../../config/bridge.ts';
import type { Run } from '../../run/run.ts';
import { createRunInstruments } from '../../telemetry/instruments.ts';

/** One time series in Prometheus. The buckets of a histogram also have the label `le`. */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a run exports under one name. */
export interface ExportedMetric {
  readonly name: string;
  readonly instrument: InstrumentKind;
  readonly unit: string;
  readonly series: readonly Series[];
}

/** The names of the series of the bridge's own metrics. Spans are counted only if runs are traced. */
export function bridgeSeriesOf({ traces }: Pick<Config, 'traces'>): readonly string[] {
  return keysOf(bridgeMetrics)
    .filter((name) => name !== 'spansRejected' || traces !== undefined)
    .map((name) => prometheusName(bridgeMetrics[name]));
}

/**
 * The metrics of a run, collected from the bridge's own instruments, with the names and labels that the Collector's
 * Prometheus exporter gives them with the otel-collector.yaml of this repository.
 */
export async function exportedMetrics(
  run: Run,
  resource: Resource,
  { histogramAggregation }: Pick<Config, 'histogramAggregation'>,
  version: string,
): Promise<readonly ExportedMetric[]> {
  const instruments = createRunInstruments({ resource, histogramAggregation, version });
  instruments.setRun(run);
  instruments.record(run.latest);
  const target = targetLabels(resource);
  const scopes = await instruments.collect();
  return scopes.flatMap(({ metrics }) => metrics.map((metric) => exported(metric, target)));
}

function exported(metric: MetricData, target: Series['labels']): ExportedMetric {
  const { name, unit } = metric.descriptor;
  const instrument = instrumentOf(metric);
  const definition = { name, unit, instrument };
  const names =
    metric.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM
      ? [prometheusName(definition)]
      : prometheusSeriesNames(definition);
  const series = metric.dataPoints.flatMap(({ attributes }) =>
    names.map((series) => ({ name: series, labels: { ...labelsOf(attributes), ...target } })),
  );
  return { ...definition, series };
}

function instrumentOf({ dataPointType }: MetricData): InstrumentKind {
  switch (dataPointType) {
    case DataPointType.GAUGE:
      return 'gauge';
    case DataPointType.SUM:
      return 'counter';
    default:
      return 'histogram';
  }
}

const labelsOf = (attributes: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(attributes).map(([key, value]) => [labelName(key), String(value)]));

/**
 * The labels that identify the bridge. Source: OpenTelemetry specification, "Prometheus and OpenMetrics compatibility",
 * resource attributes.
 */
export function targetLabels({ attributes }: Resource): Series['labels'] {
  const namespace = attributes['service.namespace'];
  const name = String(attributes['service.name']);
  return {
    job: namespace === undefined ? name : `${namespace}/${name}`,
    instance: String(attributes['service.instance.id']),
  };
}
