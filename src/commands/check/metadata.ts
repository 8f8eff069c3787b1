import { isNumericField, runAttributes } from '../../catalogue/metrics.ts';
import type { SkipReason } from '../../catalogue/outcomes.ts';
import { labelName } from '../../catalogue/prometheus-name.ts';
import { suggestion } from '../../cli/suggestion.ts';
import type { Run } from '../../run/run.ts';
import { jobMetadataSchemas, topLevelSchemas } from '../../snapshot/schema.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { readTime } from '../../snapshot/values.ts';
import { adviseOnLength, adviseOnNull, adviseOnRank, adviseOnTime, knownNumbers } from './advice.ts';
import { type FieldReport, writtenText } from './field.ts';

type Document = Readonly<Record<string, unknown>>;

const sections = ['job_metadata', 'training_metrics'] as const;
const topLevelFields = Object.keys(topLevelSchemas);
const jobFields = Object.keys(jobMetadataSchemas);

/** Reports on each field of `job_metadata`, in the order of the file. */
export function reportJobMetadata(metadata: Document, snapshot: Snapshot, run: Run): readonly FieldReport[] {
  return Object.keys(metadata).map((field) => ({
    section: 'job_metadata',
    field,
    written: writtenText(metadata[field]),
    ...(jobFields.includes(field)
      ? evaluateKnownField(field, snapshot, metadata[field], jobMeaning(field, run))
      : unknownField(field, metadata[field], 'job_metadata', jobFields)),
  }));
}

/** Reports on the fields outside of the two sections, and on a section that cannot be read. */
export function reportTopLevel(document: Document, snapshot: Snapshot): readonly FieldReport[] {
  return Object.keys(document)
    .filter((field) => !isSection(field) || snapshot.skipped.some((it) => it.known && it.field === field))
    .map((field) => ({
      section: 'top level',
      field,
      written: writtenText(document[field]),
      ...(topLevelFields.includes(field) || isSection(field)
        ? evaluateKnownField(field, snapshot, document[field], topLevelMeaning(field, snapshot))
        : unknownField(field, document[field], 'top level', [...topLevelFields, ...sections])),
    }));
}

const isSection = (field: string) => field === 'job_metadata' || field === 'training_metrics';

type Evaluation = Pick<FieldReport, 'verdict' | 'reason' | 'advice' | 'becomes'>;

function evaluateKnownField(
  field: string,
  { skipped }: Snapshot,
  value: unknown,
  becomes: string,
): Evaluation {
  const reason = skipped.find((it) => it.known && it.field === field)?.reason;
  if (reason === undefined) return { verdict: 'accepted', becomes, ...adviceOnZone(field, value) };
  return {
    verdict: reason === 'null' ? 'ignored' : 'refused',
    reason,
    advice: adviceFor(field, reason),
  };
}

/** Without a time zone a time is read as UTC, which is wrong for one that was written in local time. */
function adviceOnZone(field: string, value: unknown): Pick<Evaluation, 'advice'> {
  if (!timeFields.includes(field) || typeof value !== 'string' || hasZone.test(value)) return {};
  const reading = readTime(value);
  if (reading.status !== 'ok') return {};
  return { advice: `has no time zone: read as ${new Date(reading.value).toISOString()}` };
}

const timeFields: readonly string[] = ['timestamp', 'start_time'];
const hasZone = /:\d\d\S* ?(Z|[+-]\d\d(:?\d\d)?)\s*$/i;

function adviceFor(field: string, reason: SkipReason): string {
  if (reason === 'null') return adviseOnNull;
  if (reason === 'not_a_time') return adviseOnTime;
  if (reason === 'too_long') return adviseOnLength;
  if (field === 'rank') return adviseOnRank;
  if (field === 'status') return 'must be running, completed or failed';
  if (field === 'events')
    return 'must be a list of objects with a name: {"name": "checkpoint_saved", "time": "…"}';
  if (field === 'error') return 'must be text or an object: {"type": "ValueError", "message": "…"}';
  if (isSection(field)) return 'must be an object: {"name": value, …}';
  return 'must be text';
}

function jobMeaning(field: string, { identity, labels }: Run): string {
  const label = (key: string, value: unknown) =>
    value === undefined
      ? 'not used, because it is blank'
      : `label ${labelName(key)}=${JSON.stringify(String(value))}`;
  switch (field) {
    case 'job_id':
      return label(runAttributes.jobId, identity.jobId);
    case 'model_name':
      return label(runAttributes.modelName, labels.modelName);
    case 'dataset':
      return label(runAttributes.dataset, labels.dataset);
    case 'rank':
      return label(runAttributes.rank, labels.rank);
    case 'start_time':
      return 'start of this run, to detect restarts';
    case 'job_type':
      return 'type of the job, in traces';
    default:
      return 'trace context of this run';
  }
}

function topLevelMeaning(field: string, { status, events }: Snapshot): string {
  switch (field) {
    case 'timestamp':
      return 'time of the write';
    case 'status':
      return `state of the run: ${status}`;
    case 'error':
      return 'error of the failed run';
    case 'events':
      return `${events.length} event${events.length === 1 ? '' : 's'}`;
    default:
      return '';
  }
}

/** A field that is not read here. It may belong to another section. */
function unknownField(
  field: string,
  value: unknown,
  section: FieldReport['section'],
  known: readonly string[],
): Evaluation {
  const target = sectionOf(field) ?? (typeof value === 'number' ? 'training_metrics' : undefined);
  const meant = suggestion(field, known);
  const isMisplaced =
    target !== undefined && target !== section && (sectionOf(field) !== undefined || meant === '');
  const move = target === 'top level' ? `to the top level` : `to ${target}`;
  const advice = isMisplaced
    ? `is not read here: move it ${move}${sectionOf(field) === undefined ? ' to export it' : ''}`
    : `is not a known field${section === 'top level' ? ' at the top level' : ''}.${meant}`;
  return { verdict: 'ignored', reason: 'unknown_field', advice };
}

function sectionOf(field: string): FieldReport['section'] | undefined {
  if (isNumericField(field) || knownNumbers.includes(field)) return 'training_metrics';
  if (jobFields.includes(field)) return 'job_metadata';
  return topLevelFields.includes(field) || isSection(field) ? 'top level' : undefined;
}
