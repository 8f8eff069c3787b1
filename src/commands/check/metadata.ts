import { isNumericField, runAttributes } from '../../catalogue/metrics.ts';
import type { SkipReason } from '../../catalogue/outcomes.ts';
import { labelName } from '../../catalogue/prometheus-name.ts';
import { suggestion } from '../../cli/suggestion.ts';
import type { Run } from '../../run/run.ts';
import { jobMetadataSchemas, topLevelSchemas } from '../../snapshot/schema.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import {
  adviseOnLength,
  adviseOnNull,
  adviseOnRank,
  adviseOnTime,
  adviseOnType,
  knownNumbers,
} from './advice.ts';
import { type FieldReport, writtenText } from './field.ts';

type Document = Readonly<Record<string, unknown>>;

const sections = ['job_metadata', 'training_metrics'] as const;
const topLevelFields = Object.keys(topLevelSchemas);
const jobFields = Object.keys(jobMetadataSchemas);

/** What becomes of each field of `job_metadata`, in the file's order. */
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

/** What becomes of the fields around the two sections; a section itself only where it cannot be read. */
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
  if (reason === undefined) return { verdict: 'accepted', becomes };
  return {
    verdict: reason === 'null' ? 'ignored' : 'refused',
    reason,
    advice: adviceFor(field, reason, value),
  };
}

function adviceFor(field: string, reason: SkipReason, value: unknown): string {
  if (reason === 'null') return adviseOnNull;
  if (reason === 'not_a_time') return adviseOnTime;
  if (reason === 'too_long') return adviseOnLength;
  if (field === 'rank') return adviseOnRank;
  if (field === 'status') return 'is none of running, completed, failed';
  if (field === 'events')
    return 'is a list of objects, each with a name: {"name": "checkpoint_saved", "time": "…"}';
  if (field === 'error') return 'is text, or an object of text: {"type": "ValueError", "message": "…"}';
  if (isSection(field)) return 'is not an object, so nothing in it is read: write {"name": value, …}';
  return `${adviseOnType(value, true).split(',')[0]}, and text is expected`;
}

function jobMeaning(field: string, { identity, labels }: Run): string {
  const label = (key: string, value: unknown) =>
    value === undefined
      ? 'nothing, since it is blank'
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
      return 'tells a restart of the job from the run before';
    case 'job_type':
      return 'kind of the job, in traces';
    default:
      return 'the trace this run belongs to';
  }
}

function topLevelMeaning(field: string, { status, events }: Snapshot): string {
  switch (field) {
    case 'timestamp':
      return 'when the file was written';
    case 'status':
      return `state of the run: ${status}`;
    case 'error':
      return 'why the run failed';
    case 'events':
      return `${events.length} event${events.length === 1 ? '' : 's'}`;
    default:
      return '';
  }
}

/** A field the bridge does not know here. Most are harmless; some only stand in the wrong place. */
function unknownField(
  field: string,
  value: unknown,
  section: FieldReport['section'],
  known: readonly string[],
): Evaluation {
  const place = sectionOf(field) ?? (typeof value === 'number' ? 'training_metrics' : undefined);
  const meant = suggestion(field, known);
  const isMisplaced =
    place !== undefined && place !== section && (sectionOf(field) !== undefined || meant === '');
  const move = place === 'top level' ? `out of ${section}` : `into ${place}`;
  const advice = isMisplaced
    ? `is not read here: move it ${move}${sectionOf(field) === undefined ? ' if it is to be a metric' : ''}`
    : `is not a field the bridge knows${section === 'top level' ? ' outside of the two sections' : ''}.${meant}`;
  return { verdict: 'ignored', reason: 'unknown_field', advice };
}

function sectionOf(field: string): FieldReport['section'] | undefined {
  if (isNumericField(field) || knownNumbers.includes(field)) return 'training_metrics';
  if (jobFields.includes(field)) return 'job_metadata';
  return topLevelFields.includes(field) || isSection(field) ? 'top level' : undefined;
}
