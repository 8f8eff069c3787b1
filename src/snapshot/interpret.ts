import { noMetricsReason } from './no-metrics.ts';
import { parsePythonJson } from './parse.ts';
import { readMetrics } from './read-metrics.ts';
import { errorSchema, eventSchema, type jobMetadataSchemas, runStatus } from './schema.ts';
import { createSkipLog, type SectionLog } from './skip-log.ts';
import type { FileEvent, JobMetadata, Snapshot, SnapshotParseResult } from './snapshot.ts';
import { maxTextLength, readInstant, readNumber, readText, readTime } from './values.ts';

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

function isObject(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function nameOfType(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
