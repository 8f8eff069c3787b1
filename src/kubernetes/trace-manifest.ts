import type { Context } from '@opentelemetry/api';
import { injectToAnnotations } from '../tracing/annotations.ts';
import { type EnvVar, injectToEnvList } from '../tracing/env.ts';
import type { EditedHolder } from './add-bridge.ts';
import { type EditedManifest, editResources } from './edit-resources.ts';
import { childItems, childMap, stringField, withField } from './fields.ts';
import { annotationsOf } from './injection-record.ts';
import { type Pod, presentBridge } from './pod.ts';
import { type JobsOfRuntimeOf, type RuntimeJobs, runtimeKinds, specOfTrainJob } from './runtime.ts';
import { withTracePatch } from './runtime-patch.ts';
import { checkPatches, unknownRuntimeNotes } from './status-patch.ts';
import type { ManifestMap, ManifestValue } from './yaml/values.ts';

/**
 * Adds the context's span to the environment of every container and to the annotations of every pod. Values that are set
 * are kept. Without a valid span, nothing is added. A TrainJob that its runtime cannot run is a problem.
 */
export function traceManifest(
  manifest: string,
  from: Context,
  jobsOfRuntimeOf: JobsOfRuntimeOf = () => undefined,
): EditedManifest {
  const hasTrace = injectToEnvList(undefined, from) !== undefined;
  return editResources(manifest, {
    pod: (pod) => (hasTrace ? tracePod(pod, from) : { holder: pod.holder, notes: [] }),
    trainJob: (job) => {
      const runtime = jobsOfRuntimeOf(job);
      if (runtime) checkPatches(specOfTrainJob(job), runtime);
      return hasTrace ? traceTrainJob(job, from, runtime) : { holder: job, notes: [] };
    },
    // Every job that is created from a runtime would get the same trace.
    unchangedKinds: runtimeKinds,
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

/**
 * A TrainJob takes its containers from a runtime. The trainer gets the trace in its environment, the bridge by a patch of
 * the annotations of its pod.
 */
function traceTrainJob(job: ManifestMap, from: Context, runtime: RuntimeJobs | undefined): EditedHolder {
  const spec = specOfTrainJob(job);
  const withBridge = runtime?.withBridge ?? [];
  const trainer = childMap(spec, 'trainer', 'spec') ?? {};
  const traced = withTraceEnv(trainer, from, 'spec.trainer');
  const annotations = injectToAnnotations<Readonly<Record<string, string>>>({}, from);
  const patched = withTracePatch(spec, withBridge, annotations);
  const changed = traced === trainer ? patched : withField(patched, 'trainer', traced);
  const holder = changed === spec ? job : withField(withTraceAnnotations(job, from, ''), 'spec', changed);
  const notes = runtime ? [] : unknownRuntimeNotes(spec);
  return { holder, notes: withBridge.length === 0 ? [trainerOnly, ...notes] : notes };
}

const trainerOnly =
  "the trace reaches the trainer's environment alone: write it to the file, as job_metadata.traceparent, and the bridge continues it";

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
