import { type Attributes, type Meter, ValueType } from '@opentelemetry/api';
import type { MetricDefinition } from '../catalogue/metrics.ts';

/** One data point of an observable instrument, without the attributes that all points of its meter have. */
export interface Observation {
  readonly value: number;
  readonly attributes?: Attributes;
}

/** The observations of a value that may be absent. */
export const observed = (value: number | undefined): readonly Observation[] =>
  value === undefined ? [] : [{ value }];

/** The same observations with these attributes added. An observation's own attributes take precedence. */
export const withAttributes = (observations: Iterable<Observation>, attributes: Attributes) =>
  Array.from(observations, (it) => ({ ...it, attributes: { ...attributes, ...it.attributes } }));

/**
 * Creates the observable counter or gauge of a row of the catalogue; `read` is called at each collection. Values are
 * doubles by default: as an integer, 1.5 would become 1 and NaN 0.
 */
export function observeMetric(
  meter: Meter,
  { name, unit, description, instrument }: MetricDefinition,
  read: () => Iterable<Observation>,
  valueType = ValueType.DOUBLE,
): void {
  const options = { unit, description, valueType };
  const observable =
    instrument === 'counter'
      ? meter.createObservableCounter(name, options)
      : meter.createObservableGauge(name, options);
  observable.addCallback((result) => {
    for (const { value, attributes } of read()) result.observe(value, attributes);
  });
}
