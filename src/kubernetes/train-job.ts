import { bridgeSettings } from '../config/bridge.ts';
import type { EditedHolder } from './add-bridge.ts';
import { childMap, withField, withValueOrEmpty } from './fields.ts';
import { createRecord, eraseRecord, readRecord, writeRecord } from './injection-record.ts';
import type { InjectOptions } from './options.ts';
import { withoutVariables } from './remove-bridge.ts';
import {
  runtimeOf,
  specOfTrainJob,
  traceManager,
  usualReplicatedJob,
  withoutTracePatch,
  withTracePatch,
} from './runtime-patch.ts';
import { traceAnnotationsFor, traceVariables, withVariables } from './trace.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

/**
 * A TrainJob takes its containers from a runtime. The TrainJob itself gets the path of the file in the trainer's
 * environment, and the trace context there and, as a patch of the runtime, in the annotations of the pods.
 */
export function addToTrainJob(
  job: ManifestMap,
  { trace, metricsPath }: InjectOptions,
  source: SourceText,
): EditedHolder {
  const spec = specOfTrainJob(job);
  const record = readRecord(job, '') ?? createRecord([['trainjob']]);
  const { variable, default: file } = bridgeSettings.metricsFilePath;
  const present = childMap(spec, 'trainer', 'spec');
  const trainerText = source.emptyText(spec, 'trainer');
  const trainer = withVariables(
    present ?? {},
    { [variable]: metricsPath ?? file, ...traceVariables(trace) },
    record,
    'trainer',
    source,
  );
  const notes = [`a TrainJob takes its containers from a runtime, which needs the bridge. ${advice(job)}`];
  const annotations = traceAnnotationsFor({ holder: job, position: '' }, trace);
  const patched = withTracePatch(spec, [usualReplicatedJob], annotations);
  if (trainer === present && patched === spec) return { holder: job, notes };
  if (patched !== spec) {
    record.addEmpty('runtimePatches', source.emptyText(spec, 'runtimePatches'));
    record.add('patch', traceManager);
    notes.push(unverifiedPatch);
  }
  if (trainer !== present) record.addEmpty('trainer', trainerText);
  const recorded = writeRecord(job, record, { annotations, labels: {} }, source);
  const changed = trainer === present ? patched : withField(patched, 'trainer', trainer);
  return { holder: withField(recorded, 'spec', changed), notes };
}

const unverifiedPatch = `spec.runtimePatches adds the trace to the pods of the replicated job "${usualReplicatedJob}". If the runtime has no replicated job of this name, the TrainJob never runs and has no status that says so: rename it here, or use submit, which reads the runtime`;

export function removeFromTrainJob(job: ManifestMap): EditedHolder {
  const spec = specOfTrainJob(job);
  const record = readRecord(job, '');
  if (record === undefined) return { holder: job, notes: [] };
  const erased = eraseRecord(job, record, '');
  const unpatched = record.has('patch') ? withoutTracePatch(spec, record.emptyText('runtimePatches')) : spec;
  const trainer = childMap(unpatched, 'trainer', 'spec');
  const rest = trainer && withoutVariables(trainer, record, 'trainer');
  const changed =
    rest === undefined
      ? unpatched
      : withValueOrEmpty(unpatched, 'trainer', rest, record.emptyText('trainer'));
  return { holder: withField(erased, 'spec', changed), notes: [] };
}

function advice(job: ManifestMap): string {
  const runtime = runtimeOf(job);
  if (runtime === undefined) return 'Inject into that one.';
  return `Once: kubectl get ${runtime.kind.toLowerCase()} ${runtime.name} -o yaml | ml-metrics-bridge inject | kubectl apply -f -`;
}
