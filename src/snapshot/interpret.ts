import { isNumericField, type NumericField } from '../catalogue/metrics.ts';
import type { SkipReason } from '../catalogue/outcomes.ts';
import { presetField } from '../catalogue/presets.ts';
import { extraName } from './extras.ts';
import { noMetricsReason } from './no-metrics.ts';
import { parsePythonJson } from './parse.ts';
import { errorSchema, eventSchema, type jobMetadataSchemas, numberSchemas, runStatus } from './schema.ts';
import type {
  FileEvent,
  FileSection,
  JobMetadata,
  SkippedField,
  Snapshot,
  SnapshotParseResult,
} from './snapshot.ts';
import { type FieldReading, maxTextLength, readInstant, readNumber, readText, readTime } from './values.ts';

type Document = Readonly<Record<string, unknown>>;

const maxEvents = 100;

/** Parses the bytes of a metrics file, JSON as Python writes it, and refuses one that holds no metrics. Never throws. */
export function parseMetricsFile(bytes: Uint8Array): SnapshotParseResult {
  const parsed = parsePythonJson(bytes);
  if (parsed.status !== 'ok') return parsed;
  const result = interpret(parsed.value);
  if (result.status !== 'ok') return result;
  const reason = noMetricsReason(parsed.value as Document, result.snapshot);
  return reason === undefined ? result : { status: 'no_metrics', reason };
}

/**
 * Makes a snapshot of a parsed file. Only a file that is not a JSON object is malformed as a whole. An invalid field is
 * left out and listed in `skipped`; it does not affect the others. Never throws.
 */
export function interpret(document: unknown): SnapshotParseResult {
  if (!isObject(document))
    return {
      status: 'malformed',
      reason: `a JSON object is expected, such as {"training_metrics": {"training_loss": 1.5}}, not ${nameOfType(document)}`,
    };
  const log = createSkipLog();
  const top = log.section('top level');
  const metadata = sectionOf(document, 'job_metadata', top);
  const metrics = sectionOf(document, 'training_metrics', top);
  return {
    status: 'ok',
    snapshot: {
      timestampMs: top.valueOf('timestamp', readTime(document.timestamp)),
      job: readJob(metadata, log.section('job_metadata')),
      status: readStatus(document.status, top),
      error: readError(document.error, top),
      events: readEvents(document.events, top, log.section('events')),
      ...readMetrics(metrics, log.section('training_metrics')),
      skipped: log.skipped,
      converted: log.converted,
    },
  };
}

/** Lists what is left out of one section of the file. */
interface SectionLog {
  skip(field: string, reason: SkipReason): void;
  /** The same for a field that the file's contract does not define. */
  skipUnknown(field: string, reason: SkipReason): void;
  /** The value of a field; a field that has none that is valid is skipped. */
  valueOf<T>(field: string, reading: FieldReading<T>): T | undefined;
  /** Notes that the field held a number as text. */
  convert(field: string): void;
}

function createSkipLog() {
  const skipped: SkippedField[] = [];
  const converted: string[] = [];
  const section = (name: FileSection): SectionLog => {
    const skip = (field: string, reason: SkipReason) =>
      void skipped.push({ section: name, field, known: true, reason });
    return {
      skip,
      skipUnknown: (field, reason) => void skipped.push({ section: name, field, known: false, reason }),
      valueOf(field, reading) {
        if (reading.status === 'ok') return reading.value;
        if (reading.status === 'skipped') skip(field, reading.reason);
        return undefined;
      },
      convert: (field) => void converted.push(field),
    };
  };
  return { skipped, converted, section };
}

function sectionOf(document: Document, field: string, log: SectionLog): Document {
  const value = document[field];
  if (isObject(value)) return value;
  if (value !== undefined) log.skip(field, value === null ? 'null' : 'wrong_type');
  return {};
}

function readJob(metadata: Document, log: SectionLog): JobMetadata {
  const textOf = (field: keyof typeof jobMetadataSchemas) => log.valueOf(field, readText(metadata[field]));
  return {
    jobId: textOf('job_id'),
    modelName: textOf('model_name'),
    dataset: textOf('dataset'),
    startTimeMs: log.valueOf('start_time', readInstant(metadata.start_time)),
    rank: readRank(metadata.rank, log),
    jobType: textOf('job_type'),
    traceparent: textOf('traceparent'),
    tracestate: textOf('tracestate'),
  };
}

function readRank(value: unknown, log: SectionLog): number | undefined {
  if (value === undefined) return undefined;
  const reading = readNumber(value);
  if (reading.status === 'number' && Number.isInteger(reading.value) && reading.value >= 0)
    return reading.value;
  log.skip('rank', reading.status === 'skipped' ? reading.reason : 'out_of_range');
  return undefined;
}

function readStatus(value: unknown, log: SectionLog): Snapshot['status'] {
  if (value === undefined) return undefined;
  const parsed = runStatus.safeParse(value);
  if (parsed.success) return parsed.data;
  log.skip('status', value === null ? 'null' : 'wrong_type');
  return undefined;
}

function readError(value: unknown, log: SectionLog): Snapshot['error'] {
  if (value === undefined || value === null) return undefined;
  const parsed = errorSchema.safeParse(typeof value === 'string' ? { message: value } : value);
  if (!parsed.success) {
    log.skip('error', 'wrong_type');
    return undefined;
  }
  return {
    type: shorten(parsed.data.type ?? ''),
    message: shorten(parsed.data.message ?? '', 4 * maxTextLength),
  };
}

/** The last hundred. An invalid event is left out and listed; one with an invalid time is kept without it. */
function readEvents(value: unknown, top: SectionLog, log: SectionLog): readonly FileEvent[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    top.skip('events', 'wrong_type');
    return [];
  }
  const events: FileEvent[] = [];
  for (const item of value.slice(-maxEvents)) {
    const parsed = eventSchema.safeParse(item);
    if (!parsed.success) {
      log.skip('events', 'wrong_type');
      continue;
    }
    const timeMs = log.valueOf('events', readTime(parsed.data.time));
    events.push({ name: shorten(parsed.data.name), timeMs, attributes: parsed.data.attributes ?? {} });
  }
  return events;
}

const shorten = (text: string, length = maxTextLength) => text.slice(0, length).toWellFormed();

type Numbers = Pick<Snapshot, 'values' | 'extras' | 'nonFinite' | 'presets'>;

function readMetrics(metrics: Document, log: SectionLog): Numbers {
  const nonFinite = new Map<string, number>();
  const known = Object.keys(metrics).filter(isNumericField);
  const values = readKnown(metrics, known, nonFinite, log);
  const presets = readPresets(metrics, values, nonFinite);
  const used = new Set(presets.values());
  const others = Object.keys(metrics).filter(
    (field) => !isNumericField(field) && !(used.has(field) && extraName(field).status === 'refused'),
  );
  return { values, extras: readExtras(metrics, others, nonFinite, log), nonFinite, presets };
}

type Values = Partial<Record<NumericField, number>>;

/** Fills absent fields from other names of the file, in its order. The first valid value counts. */
function readPresets(metrics: Document, values: Values, nonFinite: Map<string, number>) {
  const presets = new Map<NumericField, string>();
  for (const name of Object.keys(metrics)) {
    const field = presetField(name);
    if (field === undefined || field in metrics || presets.has(field)) continue;
    const reading = readNumber(metrics[name]);
    if (reading.status === 'non_finite') nonFinite.set(field, reading.value);
    else if (reading.status === 'number' && numberSchemas[field].safeParse(reading.value).success)
      values[field] = reading.value;
    else continue;
    presets.set(field, name);
  }
  return presets;
}

function readKnown(
  metrics: Document,
  fields: readonly NumericField[],
  nonFinite: Map<string, number>,
  log: SectionLog,
): Values {
  const values: Values = {};
  for (const field of fields) {
    const reading = readNumber(metrics[field]);
    if (reading.status === 'non_finite') nonFinite.set(field, reading.value);
    else if (reading.status === 'skipped') log.skip(field, reading.reason);
    else if (!numberSchemas[field].safeParse(reading.value).success) log.skip(field, 'out_of_range');
    else {
      values[field] = reading.value;
      if (reading.converted) log.convert(field);
    }
  }
  return values;
}

function readExtras(
  metrics: Document,
  fields: readonly string[],
  nonFinite: Map<string, number>,
  log: SectionLog,
) {
  const extras = new Map<string, number>();
  const takenNames = new Set<string>();
  // A field that is spelled as its metric comes first, so that `Grad_norm` or `grad__norm` never replaces it.
  for (const field of fields.toSorted((a, b) => Number(isRespelled(a)) - Number(isRespelled(b)))) {
    const reading = readNumber(metrics[field]);
    const extra = extraName(field);
    if (reading.status === 'skipped') log.skipUnknown(field, reading.reason);
    else if (extra.status === 'refused') log.skipUnknown(field, extra.reason);
    else if (takenNames.has(extra.prometheus)) log.skipUnknown(field, 'name_taken');
    else {
      takenNames.add(extra.prometheus);
      (reading.status === 'number' ? extras : nonFinite).set(extra.name, reading.value);
      if (reading.status === 'number' && reading.converted) log.convert(field);
    }
  }
  return extras;
}

const isRespelled = (field: string) => /[A-Z]|__|_$/.test(field);

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
