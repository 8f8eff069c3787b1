import type { Context } from '@opentelemetry/api';
import { injectToAnnotations } from '../tracing/annotations.ts';
import { type EnvVar, injectToEnvList } from '../tracing/env.ts';
import type { EditedHolder } from './add-bridge.ts';
import { type EditedManifest, editResources } from './edit-resources.ts';
import { childItems, childMap, stringField, withField } from './fields.ts';
import { annotationsOf } from './injection-record.ts';
import { type Pod, presentBridge } from './pod.ts';
import { ManifestProblem } from './yaml/problem.ts';
import type { ManifestMap, ManifestValue } from './yaml/values.ts';

/** Every job that is created from one of these would get the same trace. */
const templatesOfManyJobs = new Set(['TrainingRuntime', 'ClusterTrainingRuntime']);

/**
 * Adds the context's span to the environment of every container and to the annotations of every pod. Values that are set
 * are kept. Without a valid span, nothing is added.
 */
export function traceManifest(manifest: string, from: Context): EditedManifest {
  const hasTrace = injectToEnvList(undefined, from) !== undefined;
  return editResources(manifest, {
    pod: (pod) => (hasTrace ? tracePod(pod, from) : { holder: pod.holder, notes: [] }),
    trainJob: (job) => (hasTrace ? traceTrainJob(job, from) : { holder: job, notes: [] }),
    unchangedKinds: templatesOfManyJobs,
  });
}

function tracePod(pod: Pod, from: Context): EditedHolder {
  const bridge = presentBridge(pod);
  // `containers` does not include native sidecars.
  const traced = new Set([...pod.containers, ...(bridge ? [bridge] : [])]);
  const spec = ['initContainers', 'containers'].reduce((it, key) => {
    const items = childItems(it, key, pod.position);
    const changed = items.map((item) =>
      traced.has(item) ? withTraceEnv(item, from, stringField(item, 'name') ?? pod.position) : item,
    );
    return changed.every((item, index) => item === items[index]) ? it : withField(it, key, changed);
  }, pod.spec);
  const holder = withTraceAnnotations(pod.holder, from, pod.position);
  return { holder: spec === pod.spec ? holder : withField(holder, 'spec', spec), notes: [] };
}

/** A TrainJob takes its containers from a runtime. Only the trainer's environment can be set on the TrainJob itself. */
function traceTrainJob(job: ManifestMap, from: Context): EditedHolder {
  const spec = childMap(job, 'spec', '');
  if (spec === undefined) throw new ManifestProblem('spec is missing');
  const trainer = childMap(spec, 'trainer', 'spec') ?? {};
  const traced = withTraceEnv(trainer, from, 'spec.trainer');
  const holder = withTraceAnnotations(job, from, '');
  const notes = [
    "the trace reaches the trainer's environment alone: write it to the file, as job_metadata.traceparent, and the bridge continues it",
  ];
  return {
    holder: traced === trainer ? holder : withField(holder, 'spec', withField(spec, 'trainer', traced)),
    notes,
  };
}

function withTraceEnv(container: ManifestMap, from: Context, position: string): ManifestMap {
  const present = childItems(container, 'env', position);
  const names: readonly EnvVar[] = present.map((item) => ({ name: stringField(item, 'name') ?? '' }));
  const added = injectToEnvList(names, from).slice(present.length) as readonly unknown[];
  return added.length === 0
    ? container
    : withField(container, 'env', [...present, ...(added as readonly ManifestValue[])]);
}

function withTraceAnnotations(holder: ManifestMap, from: Context, position: string): ManifestMap {
  const present = annotationsOf(holder, position) ?? {};
  const names = present as Readonly<Record<string, string>>;
  const annotations = injectToAnnotations(names, from) as ManifestMap;
  if (annotations === present) return holder;
  const metadata = childMap(holder, 'metadata', position) ?? {};
  return withField(holder, 'metadata', withField(metadata, 'annotations', annotations), 'spec');
}
