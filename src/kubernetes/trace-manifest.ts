import type { Context } from '@opentelemetry/api';
import type { YAMLMap } from 'yaml';
import { injectToAnnotations } from '../tracing/annotations.ts';
import { injectToEnvList } from '../tracing/env.ts';
import { append, childItems, childMap, ensure, type Manifest, ManifestProblem, scalarText } from './edit.ts';
import { type Edited, editResources } from './edit-resources.ts';
import { annotationsOf } from './marker.ts';
import { type Pod, presentBridge } from './pod.ts';

/** A trace in them would be that of every job that is made from them. */
const templatesOfManyJobs = new Set(['TrainingRuntime', 'ClusterTrainingRuntime']);

/**
 * A manifest with the context's span in the environment of every container and in the annotations of every pod. What is
 * set stays, and without a valid span nothing is added.
 */
export function traceManifest(manifest: string, from: Context): Edited {
  const hasTrace = injectToEnvList(undefined, from) !== undefined;
  return editResources(manifest, {
    pod: (document, pod) => (hasTrace ? tracePod(document, pod, from) : []),
    trainJob: (document, job) => (hasTrace ? traceTrainJob(document, job, from) : []),
    leave: templatesOfManyJobs,
  });
}

function tracePod(document: Manifest, pod: Pod, from: Context): readonly string[] {
  const { holder, containers, place } = pod;
  const bridge = presentBridge(pod);
  // A native sidecar is not among the containers that do the work.
  for (const container of new Set([...containers, ...(bridge ? [bridge] : [])]))
    addToEnv(document, container, from, scalarText(container, 'name') ?? place);
  addToAnnotations(document, holder, from, place);
  return [];
}

/** A TrainJob takes its containers from a runtime; what it can take itself is the trainer's environment. */
function traceTrainJob(document: Manifest, job: YAMLMap, from: Context): readonly string[] {
  const spec = childMap(job, 'spec', '');
  if (spec === undefined) throw new ManifestProblem('spec is missing');
  addToEnv(document, ensure(spec, 'trainer', 'map', asItWas), from, 'spec.trainer');
  addToAnnotations(document, job, from, '');
  return [
    "the trace reaches the trainer's environment alone: write it to the file, as job_metadata.traceparent, and the bridge continues it",
  ];
}

function addToEnv(document: Manifest, container: YAMLMap, from: Context, place: string): void {
  const present = childItems(container, 'env', place).map((item) => ({
    name: scalarText(item, 'name') ?? '',
  }));
  const added = injectToEnvList(present, from).slice(present.length);
  if (added.length === 0) return;
  const list = ensure(container, 'env', 'list', asItWas);
  for (const variable of added) append(document, list, variable);
}

function addToAnnotations(document: Manifest, holder: YAMLMap, from: Context, place: string): void {
  const present = (annotationsOf(holder, place)?.toJSON() ?? {}) as Readonly<Record<string, string>>;
  const added = Object.entries(injectToAnnotations(present, from)).filter(
    ([name]) => !Object.hasOwn(present, name),
  );
  if (added.length === 0) return;
  const metadata = ensure(holder, 'metadata', 'map', asItWas, 'spec');
  const annotations = ensure(metadata, 'annotations', 'map', asItWas);
  for (const [name, value] of added) annotations.set(document.createNode(name), document.createNode(value));
}

/** What is submitted is never turned back, so nothing notes how an empty list was written. */
const asItWas = () => undefined;
