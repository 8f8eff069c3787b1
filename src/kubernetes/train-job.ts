import { bridgeSettings } from '../config/bridge.ts';
import type { EditedHolder } from './add-bridge.ts';
import { childItems, childMap, findNamed, withField, withValueOrEmpty } from './fields.ts';
import { createRecord, eraseRecord, readRecord, writeRecord } from './injection-record.ts';
import type { InjectOptions } from './options.ts';
import { withoutVariables } from './remove-bridge.ts';
import { type RuntimeJobs, runtimeOf, specOfTrainJob } from './runtime.ts';
import {
  hasPatchOf,
  replicatedJobsOfPatch,
  traceManager,
  usualReplicatedJob,
  withoutPatchesOf,
  withTracePatch,
} from './runtime-patch.ts';
import { callbackVariable, checkPatches, statusManager, withStatusPatch } from './status-patch.ts';
import { traceAnnotationsFor, traceVariables, type Variables, withVariables } from './trace.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

/**
 * A TrainJob takes its containers from a runtime. The TrainJob itself gets the path of the file in the trainer's
 * environment, and the trace context there and, as a patch of the runtime, in the annotations of the pods. Another patch
 * lets the bridge post the status of the TrainJob. A patch that the runtime, where it is known, does not allow is a problem.
 */
export function addToTrainJob(
  job: ManifestMap,
  options: InjectOptions,
  source: SourceText,
  runtime: RuntimeJobs | undefined,
): EditedHolder {
  const { replicatedJob = usualReplicatedJob } = options;
  const spec = specOfTrainJob(job);
  const record = readRecord(job, '') ?? createRecord([['trainjob']]);
  const present = childMap(spec, 'trainer', 'spec');
  const trainerText = source.emptyText(spec, 'trainer');
  const trainer = withVariables(present ?? {}, trainerVariables(options), record, 'trainer', source);
  const notes = runtime?.withBridge.length ? [] : [runtimeNote(job)];
  if (options.trainJobStatus) notes.push(...callbackNotes(trainer));
  const annotations = traceAnnotationsFor({ holder: job, position: '' }, options.trace);
  const traced = withTracePatch(spec, [replicatedJob], annotations);
  const patched = options.trainJobStatus ? withStatusPatch(traced, job, replicatedJob) : traced;
  if (runtime) checkPatches(patched, runtime);
  notes.push(...keptPatchNotes(spec, options.replicatedJob));
  if (trainer === present && patched === spec) return { holder: job, notes };
  if (patched !== spec) record.addEmpty('runtimePatches', source.emptyText(spec, 'runtimePatches'));
  for (const { manager, effect, unchecked, advice } of ownPatches(replicatedJob)) {
    if (hasPatchOf(spec, manager) || !hasPatchOf(patched, manager)) continue;
    record.add('patch', manager);
    const sentences = [`spec.runtimePatches ${effect}`, ...(runtime ? [] : [unchecked]), ...advice];
    notes.push(sentences.join('. '));
  }
  if (trainer !== present) record.addEmpty('trainer', trainerText);
  const recorded = writeRecord(job, record, { annotations, labels: {} }, source);
  const changed = trainer === present ? patched : withField(patched, 'trainer', trainer);
  return { holder: withField(recorded, 'spec', changed), notes };
}

function trainerVariables({ metricsPath, trace, trainJobStatus }: InjectOptions): Variables {
  const { variable, default: file } = bridgeSettings.metricsFilePath;
  return {
    [variable]: metricsPath ?? file,
    ...traceVariables(trace),
    ...(trainJobStatus ? { [callbackVariable]: 'TRUE' } : {}),
  };
}

const neverRuns =
  'the TrainJob never runs and has no status that says so: name the right one with --replicated-job';

/** The patches that are added here. What a runtime must have is said where it is not known, and so not checked. */
const ownPatches = (replicatedJob: string) => [
  {
    manager: traceManager,
    effect: `adds the trace to the pods of the replicated job "${replicatedJob}"`,
    unchecked: `If the runtime has no replicated job of this name, ${neverRuns}, or use submit, which reads the runtime`,
    advice: [],
  },
  {
    manager: statusManager,
    effect: `lets the bridge in the replicated job "${replicatedJob}" post the status`,
    unchecked: `If the runtime has no replicated job of this name, or no bridge as a native sidecar in it, ${neverRuns}`,
    advice: [
      'If Kubeflow Trainer is not in the namespace kubeflow-system, correct KUBEFLOW_TRAINER_SERVER_URL in the patch',
    ],
  },
];

/** A patch that is there already is never changed, even if another replicated job is named. */
function keptPatchNotes(spec: ManifestMap, named: string | undefined): readonly string[] {
  if (named === undefined) return [];
  return [traceManager, statusManager].flatMap((manager) =>
    replicatedJobsOfPatch(spec, manager)
      .filter((name) => name !== named)
      .map((name) => `spec.runtimePatches of ${manager} is for the replicated job "${name}" and is kept`),
  );
}

/** The callback of transformers stays on where the manifest says so. */
function callbackNotes(trainer: ManifestMap): readonly string[] {
  const set = findNamed(childItems(trainer, 'env', 'spec.trainer'), callbackVariable);
  if (set === undefined || String(set.value).toUpperCase() === 'TRUE') return [];
  return [
    `spec.trainer.env sets ${callbackVariable}, but not to TRUE: if the training uses Hugging Face transformers, its callback and the bridge replace each other's status`,
  ];
}

export function removeFromTrainJob(job: ManifestMap): EditedHolder {
  const spec = specOfTrainJob(job);
  const record = readRecord(job, '');
  if (record === undefined) return { holder: job, notes: [] };
  const erased = eraseRecord(job, record, '');
  const unpatched = withoutPatchesOf(spec, record.values('patch'), record.emptyText('runtimePatches'));
  const trainer = childMap(unpatched, 'trainer', 'spec');
  const rest = trainer && withoutVariables(trainer, record, 'trainer');
  const changed =
    rest === undefined
      ? unpatched
      : withValueOrEmpty(unpatched, 'trainer', rest, record.emptyText('trainer'));
  return { holder: withField(erased, 'spec', changed), notes: [] };
}

function runtimeNote(job: ManifestMap): string {
  const runtime = runtimeOf(job);
  const advice =
    runtime === undefined
      ? 'Inject into that one.'
      : `Once: kubectl get ${runtime.kind.toLowerCase()} ${runtime.name} -o yaml | ml-metrics-bridge inject | kubectl apply -f -`;
  return `a TrainJob takes its containers from a runtime, which needs the bridge. ${advice}`;
}
