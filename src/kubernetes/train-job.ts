import { bridgeSettings } from '../config/bridge.ts';
import type { EditedHolder } from './add-bridge.ts';
import { childMap, stringField, withField, withValueOrEmpty } from './fields.ts';
import { createRecord, eraseRecord, readRecord, writeRecord } from './injection-record.ts';
import type { InjectOptions } from './options.ts';
import { withoutVariables } from './remove-bridge.ts';
import { traceAnnotationsFor, traceVariables, withVariables } from './trace.ts';
import { ManifestProblem } from './yaml/problem.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

/**
 * A TrainJob takes its containers from a runtime. Only the trainer's environment can be set on the TrainJob itself: the
 * path of the file, and the trace context.
 */
export function addToTrainJob(job: ManifestMap, { trace }: InjectOptions, source: SourceText): EditedHolder {
  const spec = specOf(job);
  const record = readRecord(job, '') ?? createRecord([['trainjob']]);
  const { variable, default: file } = bridgeSettings.metricsFilePath;
  const present = childMap(spec, 'trainer', 'spec');
  const trainerText = source.emptyText(spec, 'trainer');
  const trainer = withVariables(
    present ?? {},
    { [variable]: file, ...traceVariables(trace) },
    record,
    'trainer',
    source,
  );
  const notes = [`a TrainJob takes its containers from a runtime, which needs the bridge. ${advice(spec)}`];
  if (trainer === present) return { holder: job, notes };
  record.addEmpty('trainer', trainerText);
  const added = { annotations: traceAnnotationsFor({ holder: job, position: '' }, trace), labels: {} };
  const recorded = writeRecord(job, record, added, source);
  return { holder: withField(recorded, 'spec', withField(spec, 'trainer', trainer)), notes };
}

export function removeFromTrainJob(job: ManifestMap): EditedHolder {
  const spec = specOf(job);
  const record = readRecord(job, '');
  if (record === undefined) return { holder: job, notes: [] };
  const erased = eraseRecord(job, record, '');
  const trainer = childMap(spec, 'trainer', 'spec');
  if (trainer === undefined) return { holder: erased, notes: [] };
  const rest = withoutVariables(trainer, record, 'trainer');
  const changed = withValueOrEmpty(spec, 'trainer', rest, record.emptyText('trainer'));
  return { holder: withField(erased, 'spec', changed), notes: [] };
}

function specOf(job: ManifestMap): ManifestMap {
  const spec = childMap(job, 'spec', '');
  if (spec === undefined) throw new ManifestProblem('spec is missing');
  return spec;
}

function advice(spec: ManifestMap): string {
  const reference = childMap(spec, 'runtimeRef', 'spec');
  const name = stringField(reference, 'name');
  if (reference === undefined || name === undefined) return 'Inject into that one.';
  const resource = (stringField(reference, 'kind') ?? 'ClusterTrainingRuntime').toLowerCase();
  return `Once: kubectl get ${resource} ${name} -o yaml | ml-metrics-bridge inject | kubectl apply -f -`;
}
