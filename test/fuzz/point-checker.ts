import type { Attributes } from '@opentelemetry/api';
import { DataPointType, type ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { type FileFacts, factsOf } from './oracle.ts';

interface Known {
  /** Of the files this run has taken, and of those before it. */
  readonly files: FileFacts[];
  /** Of those alone that its histograms have measured. */
  readonly measured: FileFacts[];
}

const states = ['waiting', 'running', 'stalled', 'completed', 'failed', 'ended'];
const atEachTime = new Set(['ml.training.run.state', 'ml.training.last_step_time', 'ml.training.non_finite']);

/** Holds what is exported against the files it was made of. Throws where one does not follow from the other. */
export function createPointChecker() {
  let known: Known = { files: [], measured: [] };
  const prototype = Object.getOwnPropertyNames(Object.prototype).length;

  return {
    mustBeRead: (bytes: Uint8Array): boolean => factsOf(bytes) !== undefined,
    runBegan(follows: boolean): void {
      known = { files: follows ? known.files : [], measured: [] };
    },
    /** A file is the latest of the run. */
    taken(bytes: Uint8Array): void {
      const facts = factsOf(bytes);
      if (facts === undefined) throw new Error('a file was taken that is no JSON object');
      known.files.push(facts);
      known.measured.push(facts);
    },
    /** @returns how many points were there */
    exported(scopes: readonly ScopeMetrics[]): number {
      if (Object.getOwnPropertyNames(Object.prototype).length !== prototype)
        throw new Error('a file has changed Object.prototype');
      const latest = known.files.at(-1);
      if (latest === undefined) throw new Error('exported before a file was taken');
      const seen = new Set<string>();
      let points = 0;
      for (const { metrics } of scopes) {
        for (const metric of metrics) {
          const { name } = metric.descriptor;
          for (const point of metric.dataPoints) {
            points += 1;
            seen.add(name);
            checkLabels(name, point.attributes, known);
          }
          if (metric.dataPointType === DataPointType.HISTOGRAM)
            for (const { value } of metric.dataPoints) checkHistogram(name, value, known);
          if (metric.dataPointType === DataPointType.SUM || metric.dataPointType === DataPointType.GAUGE)
            for (const { value, attributes } of metric.dataPoints)
              checkNumber(name, value, attributes, known, latest);
        }
      }
      for (const name of latest.required)
        if (!seen.has(name)) fail(name, 'is missing', latest.gauges.get(name));
      return points;
    },
  };
}

function fail(name: string, what: string, expected: unknown): never {
  throw new Error(
    `${name} ${what}; the files have ${JSON.stringify(expected, (_key, it) => (typeof it === 'number' ? String(it) : it))}`,
  );
}

function checkLabels(name: string, attributes: Attributes, { files }: Known): void {
  for (const [label, value] of Object.entries(attributes)) {
    if ((label === 'state' || label === 'field') && atEachTime.has(name)) continue;
    const texts = files.map(({ labels }) => labels.get(label));
    if (!texts.includes(String(value))) fail(name, `has ${label}=${JSON.stringify(value)}`, texts);
  }
}

function checkNumber(
  name: string,
  value: number,
  attributes: Attributes,
  known: Known,
  latest: FileFacts,
): void {
  const { files } = known;
  if (name === 'ml.training.epoch') {
    const epochs = files.map(({ epoch }) => epoch);
    if (!epochs.some((it) => isCounted(value, it))) fail(name, `is ${value}`, epochs);
  } else if (name === 'ml.training.batch_number') checkBatches(name, value, files);
  else if (name === 'ml.training.run.state') {
    if (!states.includes(String(attributes.state)) || (value !== 0 && value !== 1))
      fail(name, `is ${value} for ${attributes.state}`, states);
  } else if (name === 'ml.training.last_step_time') {
    if (value < 1_800_000_000 || value > 1_800_001_000) fail(name, `is ${value}`, 'the time of reading');
  } else if (name === 'ml.training.estimated_remaining') {
    // Depends on the times of all files before; tests of src/run hold its value.
    if (!(value >= 0 && Number.isFinite(value))) fail(name, `is ${value}`, 'a time from 0 on');
  } else if (name === 'ml.training.rank.step') checkBatches(name, value, files);
  else if (name === 'ml.training.rank.step_duration') {
    const values = [
      latest.measurements.get('ml.training.processing_time'),
      ...(latest.gauges.get('ml.training.rank_compute_ms') ?? []),
    ];
    if (!values.some((it) => it !== undefined && it / 1000 === value)) fail(name, `is ${value}`, values);
  } else if (name === 'ml.training.non_finite') {
    const field = String(attributes.field);
    const most = files.reduce(
      (sum, { nonFinite }) => sum + (field === 'extra' ? nonFinite.size : Number(nonFinite.has(field))),
      0,
    );
    if (value > most) fail(name, `is ${value} for ${field}`, most);
  } else {
    const computed = name === 'ml.training.progress' ? latest.progress : [];
    const values = [...(latest.gauges.get(name) ?? []), ...computed];
    if (!values.some((it) => it === value || Object.is(it, value))) fail(name, `is ${value}`, values);
  }
}

/**
 * The SDK adds up the differences between what it observes of a counter, so that a count with a fraction may come out
 * one rounding away from what the file says.
 */
function isCounted(value: number, written: number | undefined): boolean {
  // Sums of doubles may both be wrong: a count that is not exact any more is wrong whatever the files say.
  if (!(value <= Number.MAX_SAFE_INTEGER)) return false;
  return written !== undefined && Math.abs(value - written) <= 2 * Number.EPSILON * written;
}

/** A global step where there is one; else a sum over epochs of batches that were written. */
function checkBatches(name: string, value: number, files: readonly FileFacts[]): void {
  const steps = files.map(({ step }) => step);
  const batches = files.flatMap(({ batch }) => batch ?? []);
  if (![...steps, ...sumsOf(batches)].some((it) => isCounted(value, it)))
    fail(name, `is ${value}`, { steps, batches });
}

/**
 * Of every part of the list, added in its order; no more than eight files make no more than 256. Where a batch is 0, the
 * job may count from 0, and each epoch may have one batch more.
 */
function sumsOf(list: readonly number[]): ReadonlySet<number> {
  const hasZero = list.includes(0);
  let sums = new Set([0]);
  for (const item of list) {
    const added = [...sums].flatMap((sum) => (hasZero ? [sum + item, sum + item + 1] : [sum + item]));
    sums = new Set([...sums, ...added]);
  }
  if (!hasZero) sums.delete(0);
  return sums;
}

function checkHistogram(
  name: string,
  { count, sum }: { count: number; sum?: number | undefined },
  { measured }: Known,
): void {
  const values = measured.flatMap(({ measurements }) => measurements.get(name) ?? []);
  if (count !== values.length) fail(name, `has ${count} measurements`, values);
  const expected = values.reduce((total, value) => total + value, 0);
  if (sum !== expected) fail(name, `has a sum of ${sum}`, values);
}
