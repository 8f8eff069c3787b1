import type { YAMLMap } from 'yaml';
import { bridgeSettings } from '../config/bridge.ts';
import { childMap, dropIfEmpty, ensure, type Manifest, ManifestProblem, scalarText } from './edit.ts';
import { annotationsOf, createMarks, eraseMarks, readMarks, writeMarks } from './marker.ts';
import type { InjectOptions } from './options.ts';
import { removeVariables } from './remove.ts';
import { addVariables, missingAnnotations, traceAnnotations, traceVariables } from './trace.ts';

/**
 * A TrainJob takes its containers from a runtime. What it can take itself is the trainer's environment: where to write
 * the file, and the trace it belongs to.
 */
export function addToTrainJob(document: Manifest, job: YAMLMap, { trace }: InjectOptions): readonly string[] {
  const spec = specOf(job);
  const marks = readMarks(job, '') ?? createMarks([['trainjob']]);
  const { variable, default: file } = bridgeSettings.metricsFilePath;
  const trainer = ensure(spec, 'trainer', 'map', marks.was('trainer'));
  const added = addVariables(
    document,
    trainer,
    { [variable]: file, ...traceVariables(trace) },
    marks,
    'trainer',
  );
  if (added)
    writeMarks(document, job, marks, missingAnnotations(annotationsOf(job, ''), traceAnnotations(trace)));
  else dropIfEmpty(spec, 'trainer', marks.written('trainer'));
  return [`a TrainJob cannot take a container: the bridge has to be in its runtime. ${advice(spec)}`];
}

export function removeFromTrainJob(job: YAMLMap): readonly string[] {
  const spec = specOf(job);
  const marks = readMarks(job, '');
  if (marks === undefined) return [];
  const trainer = childMap(spec, 'trainer', 'spec');
  if (trainer) removeVariables(trainer, marks, 'trainer');
  dropIfEmpty(spec, 'trainer', marks.written('trainer'));
  eraseMarks(job, marks, '');
  return [];
}

function specOf(job: YAMLMap): YAMLMap {
  const spec = childMap(job, 'spec', '');
  if (spec === undefined) throw new ManifestProblem('spec is missing');
  return spec;
}

function advice(spec: YAMLMap): string {
  const reference = childMap(spec, 'runtimeRef', 'spec');
  const name = reference && scalarText(reference, 'name');
  if (reference === undefined || name === undefined) return 'Inject into that one.';
  const resource = (scalarText(reference, 'kind') ?? 'ClusterTrainingRuntime').toLowerCase();
  return `Once: kubectl get ${resource} ${name} -o yaml | ml-metrics-bridge inject | kubectl apply -f -`;
}
