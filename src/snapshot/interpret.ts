import { isNumericField, type NumericField } from '../catalogue/metrics.ts';
import { extraName } from './extras.ts';
import { parsePythonJson } from './parse.ts';
import { errorSchema, eventSchema, type jobMetadataSchemas, numberSchemas, runStatus } from './schema.ts';
import type { FileEvent, JobMetadata, SkippedField, SkipReason, Snapshot } from './snapshot.ts';
import { type FieldReading, maxTextLength, readNumber, readText, readTime } from './values.ts';

export type Interpretation =
  | { readonly status: 'ok'; readonly snapshot: Snapshot }
  | { readonly status: 'malformed'; readonly reason: string };

type Document = Readonly<Record<string, unknown>>;

const maxEvents = 100;

/** What the bytes of a file say. Never throws. */
export function interpretBytes(bytes: Uint8Array): Interpretation {
  const parsed = parsePythonJson(bytes);
  return parsed.status === 'ok' ? interpret(parsed.value) : parsed;
}

/**
 * What a parsed file says. Only a file that is no JSON object is refused as a whole; anything else that is wrong costs
 * its own field and is listed in `skipped`. Never throws.
 */
export function interpret(document: unknown): Interpretation {
  if (!isObject(document))
    return { status: 'malformed', reason: `a JSON object is expected, not ${nameOfType(document)}` };
  const notes = createNotes();
  return {
    status: 'ok',
    snapshot: {
      timestampMs: notes.taken('timestamp', readTime(document.timestamp)),
      job: readJob(section(document, 'job_metadata', notes), notes),
      status: readStatus(document.status, notes),
      error: readError(document.error, notes),
      events: readEvents(document.events, notes),
      ...readMetrics(section(document, 'training_metrics', notes), notes),
      skipped: notes.skipped,
      converted: notes.converted,
    },
  };
}

type Notes = ReturnType<typeof createNotes>;

/** Collects what is left out on the way. */
function createNotes() {
  const skipped: SkippedField[] = [];
  const converted: string[] = [];
  const skip = (field: string, reason: SkipReason, known = true) =>
    void skipped.push({ field, known, reason });
  const taken = <T>(field: string, reading: FieldReading<T>): T | undefined => {
    if (reading.status === 'ok') return reading.value;
    if (reading.status === 'skipped') skip(field, reading.reason);
    return undefined;
  };
  return { skipped, converted, skip, taken };
}

function section(document: Document, field: string, notes: Notes): Document {
  const value = document[field];
  if (isObject(value)) return value;
  if (value !== undefined) notes.skip(field, value === null ? 'null' : 'wrong_type');
  return {};
}

function readJob(metadata: Document, notes: Notes): JobMetadata {
  const textOf = (field: keyof typeof jobMetadataSchemas) => notes.taken(field, readText(metadata[field]));
  return {
    jobId: textOf('job_id'),
    modelName: textOf('model_name'),
    dataset: textOf('dataset'),
    startTimeMs: notes.taken('start_time', readTime(metadata.start_time)),
    rank: readRank(metadata.rank, notes),
    jobType: textOf('job_type'),
    traceparent: textOf('traceparent'),
    tracestate: textOf('tracestate'),
  };
}

function readRank(value: unknown, notes: Notes): number | undefined {
  if (value === undefined) return undefined;
  const reading = readNumber(value);
  if (reading.status === 'number' && Number.isInteger(reading.value) && reading.value >= 0)
    return reading.value;
  notes.skip('rank', reading.status === 'skipped' ? reading.reason : 'out_of_range');
  return undefined;
}

function readStatus(value: unknown, notes: Notes): Snapshot['status'] {
  if (value === undefined) return undefined;
  const parsed = runStatus.safeParse(value);
  if (parsed.success) return parsed.data;
  notes.skip('status', value === null ? 'null' : 'wrong_type');
  return undefined;
}

function readError(value: unknown, notes: Notes): Snapshot['error'] {
  if (value === undefined || value === null) return undefined;
  const parsed = errorSchema.safeParse(typeof value === 'string' ? { message: value } : value);
  if (!parsed.success) {
    notes.skip('error', 'wrong_type');
    return undefined;
  }
  return {
    type: shorten(parsed.data.type ?? ''),
    message: shorten(parsed.data.message ?? '', 4 * maxTextLength),
  };
}

/** The last hundred; an event that is not one is left out and noted once. */
function readEvents(value: unknown, notes: Notes): readonly FileEvent[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    notes.skip('events', 'wrong_type');
    return [];
  }
  const events: FileEvent[] = [];
  for (const item of value.slice(-maxEvents)) {
    const parsed = eventSchema.safeParse(item);
    if (!parsed.success) {
      notes.skip('events', 'wrong_type');
      continue;
    }
    const timeMs = notes.taken('events', readTime(parsed.data.time));
    events.push({ name: shorten(parsed.data.name), timeMs, attributes: parsed.data.attributes ?? {} });
  }
  return events;
}

const shorten = (text: string, length = maxTextLength) => text.slice(0, length).toWellFormed();

type Numbers = Pick<Snapshot, 'values' | 'extras' | 'nonFinite'>;

function readMetrics(metrics: Document, notes: Notes): Numbers {
  const nonFinite = new Map<string, number>();
  const known = Object.keys(metrics).filter(isNumericField);
  const others = Object.keys(metrics).filter((field) => !isNumericField(field));
  return {
    values: readKnown(metrics, known, nonFinite, notes),
    extras: readExtras(metrics, others, nonFinite, notes),
    nonFinite,
  };
}

function readKnown(
  metrics: Document,
  fields: readonly NumericField[],
  nonFinite: Map<string, number>,
  notes: Notes,
) {
  const values: Partial<Record<NumericField, number>> = {};
  for (const field of fields) {
    const reading = readNumber(metrics[field]);
    if (reading.status === 'non_finite') nonFinite.set(field, reading.value);
    else if (reading.status === 'skipped') notes.skip(field, reading.reason);
    else if (!numberSchemas[field].safeParse(reading.value).success) notes.skip(field, 'out_of_range');
    else {
      values[field] = reading.value;
      if (reading.converted) notes.converted.push(field);
    }
  }
  return values;
}

function readExtras(
  metrics: Document,
  fields: readonly string[],
  nonFinite: Map<string, number>,
  notes: Notes,
) {
  const extras = new Map<string, number>();
  const claimed = new Set<string>();
  // A field that is spelled as its metric goes first, so that `Grad_norm` or `grad__norm` never takes its place.
  for (const field of fields.toSorted((a, b) => Number(isRespelled(a)) - Number(isRespelled(b)))) {
    const reading = readNumber(metrics[field]);
    const extra = extraName(field);
    if (reading.status === 'skipped') notes.skip(field, reading.reason, false);
    else if (extra.status === 'refused') notes.skip(field, extra.reason, false);
    else if (claimed.has(extra.prometheus)) notes.skip(field, 'name_taken', false);
    else {
      claimed.add(extra.prometheus);
      (reading.status === 'number' ? extras : nonFinite).set(extra.name, reading.value);
      if (reading.status === 'number' && reading.converted) notes.converted.push(field);
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
