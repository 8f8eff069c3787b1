import { type Attributes, type Histogram, type Meter, type Observable, ValueType } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import { MeterProvider, type ScopeMetrics } from '@opentelemetry/sdk-metrics';
import {
  type FieldDefinition,
  type MetricDefinition,
  runAttributes,
  runMetrics,
  runStates,
  type TrainingField,
  trainingMetrics,
} from '../catalogue/metrics.ts';
import type { Config } from '../config/bridge.ts';
import type { Run } from '../run/run.ts';
import { extraMetric } from '../snapshot/extras.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import { SnapshotReader } from './reader.ts';

/** The instruments of one run. A new run gets new ones, so that its counters and histograms begin with a start time of their own. */
export interface RunInstruments {
  /** What the observable instruments report from now on; `undefined` is a run that is still waited for. */
  setRun(run: Run | undefined): void;
  /** Puts one snapshot into the histograms; call it once for each. */
  record(snapshot: Snapshot): void;
  /** All of it or, between whole collections, without the run's state where that is what it last was. */
  collect(isWhole?: boolean): Promise<ScopeMetrics[]>;
}

export const scopeName = 'ml-metrics-bridge';

export function createRunInstruments(
  resource: Resource,
  histograms: Config['histogramAggregation'],
  version: string,
  waitingAttributes: Attributes = {},
): RunInstruments {
  const reader = new SnapshotReader(histograms);
  const meter = new MeterProvider({ resource, readers: [reader] }).getMeter(scopeName, version);
  const extras = new Set<string>();
  let run: Run | undefined;
  let attributes = waitingAttributes;
  let isStateDue = true;

  const observe = (metric: MetricDefinition, read: (run: Run) => number | undefined) =>
    observable(meter, metric).addCallback((result) => {
      const value = run && read(run);
      if (value !== undefined) result.observe(value, attributes);
    });

  for (const metric of trainingMetrics) {
    if (metric.instrument !== 'histogram') observe(metric, (it) => readingOf(metric, it));
  }
  observe(runMetrics.lastStepTime, ({ lastStep }) => lastStep.unixMs / 1000);
  observable(meter, runMetrics.state).addCallback((result) => {
    if (!isStateDue) return;
    const present = run?.state ?? 'waiting';
    for (const state of runStates) result.observe(Number(state === present), { ...attributes, state });
  });
  observable(meter, runMetrics.nonFinite).addCallback((result) => {
    if (run === undefined) return;
    for (const [field, count] of [...lossesAtZero, ...run.nonFinite])
      result.observe(count, { ...attributes, field });
  });
  const histogramOf = createHistograms(meter);

  return {
    setRun(next) {
      isStateDue ||= next?.state !== run?.state;
      run = next;
      attributes = next === undefined ? waitingAttributes : attributesOf(next);
      for (const name of next?.extras ?? []) {
        if (extras.has(name)) continue;
        extras.add(name);
        observe(extraMetric(name), ({ fresh, latest }) =>
          fresh ? (latest.extras.get(name) ?? latest.nonFinite.get(name)) : undefined,
        );
      }
    },
    record({ values }) {
      for (const [field, histogram] of histogramOf) {
        const value = values[field];
        if (value !== undefined) histogram.record(value, attributes);
      }
    },
    async collect(isWhole = true) {
      isStateDue ||= isWhole;
      const metrics = await reader.read();
      isStateDue = false;
      return metrics;
    },
  };
}

/** From zero on, because rate() cannot see a counter's first step where its first value is already that step. */
const lossesAtZero = (['training_loss', 'validation_loss'] satisfies TrainingField[]).map(
  (field) => [field, 0] as const,
);

function observable(meter: Meter, { name, unit, description, instrument }: MetricDefinition): Observable {
  // Doubles throughout: as integers, 1.5 would become 1 and NaN 0.
  const options = { unit, description, valueType: ValueType.DOUBLE };
  return instrument === 'counter'
    ? meter.createObservableCounter(name, options)
    : meter.createObservableGauge(name, options);
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

/** Counters are what was counted; gauges are what the file last said, NaN included, for as long as that is news. */
function readingOf(
  { field, instrument }: FieldDefinition & { field: TrainingField },
  run: Run,
): number | undefined {
  if (instrument === 'counter') return field === 'epoch' ? run.progress.epoch : run.progress.batches;
  if (!run.fresh) return undefined;
  return run.latest.values[field] ?? run.latest.nonFinite.get(field);
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
