import type { Attributes, Histogram, Meter } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, type ScopeMetrics } from '@opentelemetry/sdk-metrics';
import {
  type RunMetricName,
  runAttributes,
  runMetrics,
  type TrainingField,
  trainingMetrics,
} from '../catalogue/metrics.ts';
import { keysOf } from '../common/keys.ts';
import type { Config } from '../config/bridge.ts';
import type { Run } from '../run/run.ts';
import { extraMetric, yieldsTo } from '../snapshot/extras.ts';
import type { RankReading } from '../snapshot/rank-reading.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { createChangeFilter } from './changes.ts';
import { type ObservedMetric, observed, observeMetrics } from './observe.ts';
import { SnapshotReader } from './reader.ts';
import { pointAttributes } from './resource.ts';
import { counterValue, extraValue, gaugeValue, runMetricValues } from './run-values.ts';

/** The instruments of one run. A new run gets new ones, so that its counters and histograms have their own start time. */
export interface RunInstruments {
  /** Sets the run that the observable instruments report; undefined while no run has begun. */
  setRun(run: Run | undefined): void;
  /** Records the snapshot's values in the histograms; call it once for each snapshot. */
  record(snapshot: Snapshot): void;
  collect(mode?: CollectionMode): Promise<ScopeMetrics[]>;
  /** The gauges of one record of a log, without the state, counters and histograms of the run. */
  collectGauges(record: Snapshot): Promise<ScopeMetrics[]>;
}

/**
 * `full` is everything. `values` omits the state of the run while it is the same as in the last collection. `changes`
 * also omits the other metrics of the catalogue that rarely change, while they are the same.
 */
export type CollectionMode = 'full' | 'values' | 'changes';

export const scopeName = 'ml-metrics-bridge';

export interface RunInstrumentsOptions {
  readonly resource: Resource;
  readonly histogramAggregation: Config['histogramAggregation'];
  readonly version: string;
  /** Attributes of the points while no run has begun; none by default. */
  readonly waitingAttributes?: Attributes;
  /** The ranks of the run that were read from other files; none by default. */
  readonly otherRanks?: (run: Run) => readonly RankReading[];
}

export function createRunInstruments({
  resource,
  histogramAggregation,
  version,
  waitingAttributes = {},
  otherRanks = () => [],
}: RunInstrumentsOptions): RunInstruments {
  const reader = new SnapshotReader(histogramAggregation);
  const meter = new MeterProvider({ resource, readers: [reader] }).getMeter(scopeName, version);
  const extras = new Set<string>();
  /** Run metrics that are not computed, because the file has a field of their name. */
  const yielded = new Set<RunMetricName>();
  let run: Run | undefined;
  const shared = pointAttributes(resource);
  let attributes = { ...shared, ...waitingAttributes };
  let isStateDue = true;
  const changesOf = createChangeFilter();

  const isObserved = (name: RunMetricName) => (name === 'state' ? isStateDue : !yielded.has(name));
  const ofFile = trainingMetrics.flatMap((metric): readonly ObservedMetric[] => {
    if (metric.instrument === 'counter')
      return [{ metric, read: () => observed(run && counterValue(run, metric.field)) }];
    if (metric.instrument === 'gauge')
      return [{ metric, read: () => observed(run && gaugeValue(run, metric.field)) }];
    return [];
  });
  const ofRun = keysOf(runMetrics).map((name): ObservedMetric => {
    const read = () =>
      isObserved(name) ? runMetricValues[name](run, run === undefined ? [] : otherRanks(run)) : [];
    return { metric: runMetrics[name], read };
  });
  observeMetrics(meter, [...ofFile, ...ofRun], () => attributes);
  const histograms = createHistograms(meter);

  function addExtras(names: readonly string[]): void {
    for (const name of names) {
      extras.add(name);
      for (const metric of keysOf(runMetrics)) if (yieldsTo(runMetrics[metric], name)) yielded.add(metric);
    }
    const metrics = names.map((name) => ({
      metric: extraMetric(name),
      read: () => observed(run && extraValue(run, name)),
    }));
    observeMetrics(meter, metrics, () => attributes);
  }

  return {
    setRun(next) {
      isStateDue ||= next?.state !== run?.state;
      run = next;
      attributes = { ...shared, ...(next === undefined ? waitingAttributes : attributesOf(next)) };
      const added = [...(next?.extras ?? [])].filter((name) => !extras.has(name));
      if (added.length > 0) addExtras(added);
    },
    record({ values }) {
      for (const [field, histogram] of histograms) {
        const value = values[field];
        if (value !== undefined) histogram.record(value, attributes);
      }
    },
    async collect(mode = 'full') {
      isStateDue ||= mode === 'full';
      const metrics = await reader.read();
      isStateDue = false;
      const changes = changesOf(metrics);
      return mode === 'changes' ? changes : metrics;
    },
    async collectGauges(record) {
      const [current, wasDue] = [run, isStateDue];
      run = current && { ...current, latest: record, fresh: true };
      isStateDue = false;
      try {
        return gaugesOf(await reader.read());
      } finally {
        run = current;
        isStateDue = wasDue;
      }
    },
  };
}

/** Metrics that are not a gauge of one record. Any other name is an extra metric, which is a gauge. */
const notOfRecords: ReadonlySet<string> = new Set(
  [...trainingMetrics.filter(({ instrument }) => instrument !== 'gauge'), ...Object.values(runMetrics)].map(
    ({ name }) => name,
  ),
);

function gaugesOf(scopeMetrics: readonly ScopeMetrics[]): ScopeMetrics[] {
  return scopeMetrics.flatMap(({ scope, metrics }) => {
    const gauges = metrics.filter(
      ({ descriptor, dataPoints }) => dataPoints.length > 0 && !notOfRecords.has(descriptor.name),
    );
    return gauges.length > 0 ? [{ scope, metrics: gauges }] : [];
  });
}

function createHistograms(meter: Meter): ReadonlyMap<TrainingField, Histogram> {
  const histograms = trainingMetrics.filter((metric) => metric.instrument === 'histogram');
  return new Map(
    histograms.map(({ field, name, unit, description, boundaries }) => [
      field,
      meter.createHistogram(name, {
        unit,
        description,
        advice: { explicitBucketBoundaries: [...boundaries] },
      }),
    ]),
  );
}

function attributesOf({ identity, labels }: Run): Attributes {
  const { jobId, modelName, dataset, rank } = runAttributes;
  const all = {
    [jobId]: identity.jobId,
    [modelName]: labels.modelName,
    [dataset]: labels.dataset,
    [rank]: labels.rank,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}
