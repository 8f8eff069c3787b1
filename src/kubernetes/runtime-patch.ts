import { childItems, namedItems, stringField, valueAt, withAppended, withValueOrEmpty } from './fields.ts';
import { isList, isManifestMap, type ManifestMap, type ManifestValue } from './yaml/values.ts';

/**
 * The owner of the entry of spec.runtimePatches that adds a trace. Kubeflow Trainer refuses a name without a domain, and
 * two entries of one manager.
 */
export const traceManager = 'ml-metrics-bridge.dev/trace';

/** The replicated job that trains, by the convention of the runtimes that Kubeflow ships. */
export const usualReplicatedJob = 'node';

/**
 * Adds the annotations to the pods of these replicated jobs, where the bridge of the runtime reads its trace context. Its
 * environment cannot be patched: the Job is not created if a variable that has `valueFrom` also gets a `value`. Returns
 * the same spec if a patch sets the trace already.
 */
export function withTracePatch(
  spec: ManifestMap,
  replicatedJobs: readonly string[],
  annotations: Readonly<Record<string, string>>,
): ManifestMap {
  if (replicatedJobs.length === 0 || Object.keys(annotations).length === 0 || hasTracePatch(spec))
    return spec;
  return withPodPatch(spec, traceManager, replicatedJobs, { metadata: { annotations } });
}

/** Appends an entry that changes the pod template of these replicated jobs. */
export function withPodPatch(
  spec: ManifestMap,
  manager: string,
  replicatedJobs: readonly string[],
  podTemplate: ManifestMap,
): ManifestMap {
  const patched = replicatedJobs.map((name) => ({ name, template: { spec: { template: podTemplate } } }));
  const trainingRuntimeSpec = { template: { spec: { replicatedJobs: patched } } };
  return withAppended(spec, 'runtimePatches', { manager, trainingRuntimeSpec });
}

export const hasPatchOf = (spec: ManifestMap, manager: string): boolean =>
  childItems(spec, 'runtimePatches', 'spec').some((it) => it.manager === manager);

/** The names of the replicated jobs that the entry of a manager changes. */
export function replicatedJobsOfPatch(spec: ManifestMap, manager: string): readonly string[] {
  const patch = childItems(spec, 'runtimePatches', 'spec').find((it) => it.manager === manager);
  const jobs = valueAt(patch, ['trainingRuntimeSpec', 'template', 'spec', 'replicatedJobs']);
  return namedItems(jobs).map(({ name }) => name);
}

/** Whether one of the patches is ours, or sets the annotation of a trace: of two that set it, one would be overwritten. */
function hasTracePatch(spec: ManifestMap): boolean {
  const patches = childItems(spec, 'runtimePatches', 'spec');
  return hasPatchOf(spec, traceManager) || patches.some((it) => hasKey(it, 'opentelemetry.io/traceparent'));
}

/** Reads what aliases repeat once: a few lines of them can stand for billions of values. */
function hasKey(value: ManifestValue, key: string, read = new Set<ManifestValue>()): boolean {
  if (read.has(value)) return false;
  read.add(value);
  if (isList(value)) return value.some((item) => hasKey(item, key, read));
  return (
    isManifestMap(value) && (key in value || Object.values(value).some((item) => hasKey(item, key, read)))
  );
}

/** @param emptyText how the list was written before a patch was added; undefined where there was none */
export function withoutPatchesOf(
  spec: ManifestMap,
  managers: readonly string[],
  emptyText: string | undefined,
): ManifestMap {
  const patches = childItems(spec, 'runtimePatches', 'spec');
  const rest = patches.filter((it) => !managers.includes(stringField(it, 'manager') ?? ''));
  return rest.length === patches.length ? spec : withValueOrEmpty(spec, 'runtimePatches', rest, emptyText);
}
