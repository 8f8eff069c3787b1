import { containerName } from './container.ts';
import { editResources } from './edit-resources.ts';
import { childItems, childMap, findNamed, namedItems, stringField, valueAt } from './fields.ts';
import { describeResource } from './resource.ts';
import { ManifestProblem } from './yaml/problem.ts';
import { isManifestMap, type ManifestMap } from './yaml/values.ts';

/** The kinds that a TrainJob takes its containers from. */
export const runtimeKinds: ReadonlySet<string> = new Set(['TrainingRuntime', 'ClusterTrainingRuntime']);

export function specOfTrainJob(job: ManifestMap): ManifestMap {
  const spec = childMap(job, 'spec', '');
  if (spec === undefined) throw new ManifestProblem('spec is missing');
  return spec;
}

export interface RuntimeReference {
  readonly kind: string;
  readonly name: string;
  /** Of the TrainJob or of the TrainingRuntime; it does not matter for a ClusterTrainingRuntime. */
  readonly namespace: string | undefined;
}

/** The runtime that a TrainJob names. */
export function runtimeOf(job: ManifestMap): RuntimeReference | undefined {
  const reference = childMap(specOfTrainJob(job), 'runtimeRef', 'spec');
  const name = stringField(reference, 'name');
  if (name === undefined) return undefined;
  const kind = stringField(reference, 'kind') ?? 'ClusterTrainingRuntime';
  return { kind, name, namespace: describeResource(job).namespace };
}

/** Equal for references to the same runtime. */
export const runtimeKey = ({ kind, name, namespace = '' }: RuntimeReference) =>
  [kind, name, ...(kind === 'ClusterTrainingRuntime' ? [] : [namespace])].join('/');

/** The names of the replicated jobs of a runtime. */
export interface RuntimeJobs {
  readonly all: readonly string[];
  /** Those whose pods have the bridge. */
  readonly withBridge: readonly string[];
  /** Those whose pods have it as a native sidecar. */
  readonly withSidecar: readonly string[];
}

export function jobsOfRuntime(runtime: ManifestMap): RuntimeJobs {
  const jobs = namedItems(valueAt(runtime, ['spec', 'template', 'spec', 'replicatedJobs']));
  const withBridgeIn = (keys: readonly string[]) =>
    jobs.filter(({ item }) => hasBridge(item, keys)).map(({ name }) => name);
  return {
    all: jobs.map(({ name }) => name),
    withBridge: withBridgeIn(['initContainers', 'containers']),
    withSidecar: withBridgeIn(['initContainers']),
  };
}

function hasBridge(replicatedJob: ManifestMap, keys: readonly string[]): boolean {
  const pod = valueAt(replicatedJob, ['template', 'spec', 'template', 'spec']);
  if (!isManifestMap(pod)) return false;
  return keys.some((key) => findNamed(childItems(pod, key, 'spec'), containerName) !== undefined);
}

/** The runtimes that the TrainJobs of a manifest name. `editResources` must have accepted the manifest. */
export function runtimesNamedIn(manifest: string): readonly RuntimeReference[] {
  const runtimes: RuntimeReference[] = [];
  editResources(manifest, {
    pod: ({ holder }) => ({ holder, notes: [] }),
    trainJob: (job) => {
      const runtime = runtimeOf(job);
      if (runtime) runtimes.push(runtime);
      return { holder: job, notes: [] };
    },
  });
  return runtimes;
}

/** A runtime that was read. */
export interface KnownRuntime {
  readonly reference: RuntimeReference;
  readonly jobs: RuntimeJobs;
}

/** The runtimes that a manifest contains. `editResources` must have accepted the manifest. */
export function runtimesContainedIn(manifest: string): readonly KnownRuntime[] {
  const runtimes: KnownRuntime[] = [];
  editResources(manifest, {
    pod: ({ holder, location: { resource } }) => {
      const { kind, name, namespace } = describeResource(resource);
      if (runtimeKinds.has(kind) && name !== undefined)
        runtimes.push({ reference: { kind, name, namespace }, jobs: jobsOfRuntime(resource) });
      return { holder, notes: [] };
    },
    trainJob: (job) => ({ holder: job, notes: [] }),
  });
  return runtimes;
}

/** The replicated jobs of a TrainJob's runtime; undefined if the runtime is not known. */
export type JobsOfRuntimeOf = (job: ManifestMap) => RuntimeJobs | undefined;

export function lookUpRuntimes(runtimes: readonly KnownRuntime[]): JobsOfRuntimeOf {
  const jobs = new Map(runtimes.map((it) => [runtimeKey(it.reference), it.jobs]));
  return (job) => {
    const runtime = runtimeOf(job);
    return runtime && jobs.get(runtimeKey(runtime));
  };
}
