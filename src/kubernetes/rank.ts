import { childItems, childMap } from './fields.ts';
import type { PodLocation } from './pod-location.ts';
import { isManifestMap, type ManifestMap } from './yaml/values.ts';

const fieldRef = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
const label = (name: string) => fieldRef(`metadata.labels['${name}']`);

const completionIndex = [
  {
    name: 'JOB_COMPLETION_INDEX',
    ...fieldRef("metadata.annotations['batch.kubernetes.io/job-completion-index']"),
  },
];
const rankFrom = (source: ManifestMap, offset = 0): readonly ManifestMap[] => [
  { name: 'RANK', ...source },
  ...(offset === 0 ? [] : [{ name: 'RANK_OFFSET', value: String(offset) }]),
];

/** The variables that give the bridge its rank; none where no field of the pod says it. */
export function rankVariables({ kind, resource, keys }: PodLocation): readonly ManifestMap[] {
  switch (kind.rank) {
    case 'completion-index':
      return completionIndex;
    case 'job-set':
      return rankInJobSet(childMap(resource, 'spec', ''));
    case 'training-runtime':
      return rankInRuntime(resource, keys);
    case 'worker-index':
      return rankFrom(label('leaderworkerset.sigs.k8s.io/worker-index'));
    case 'replicas':
      return rankOfReplica(resource, keys);
    case 'none':
      return [];
  }
}

/** Several replicated jobs count from 0 each, so that none of their indices is a rank. */
function rankInJobSet(jobSet: ManifestMap | undefined): readonly ManifestMap[] {
  const jobs = jobSet ? childItems(jobSet, 'replicatedJobs', 'spec') : [];
  const [job] = jobs;
  if (job === undefined || jobs.length > 1) return [];
  if ((job.replicas ?? 1) === 1) return completionIndex;
  return parallelismOf(job) === 1 ? rankFrom(label('jobset.sigs.k8s.io/job-index')) : [];
}

function parallelismOf(job: ManifestMap): unknown {
  const template = childMap(job, 'template', '');
  const spec = template && childMap(template, 'spec', '');
  return spec?.parallelism ?? 1;
}

/** The controller makes one Job of the trainer's nodes, so that the completion index is the rank. */
function rankInRuntime(runtime: ManifestMap, keys: readonly string[]): readonly ManifestMap[] {
  const spec = childMap(runtime, 'spec', '') ?? {};
  const policy = childMap(spec, 'mlPolicy', 'spec');
  const mpi = policy && childMap(policy, 'mpi', 'spec.mlPolicy');
  if (mpi?.runLauncherAsNode !== true) return completionIndex;
  const index = Number(keys[keys.indexOf('replicatedJobs') + 1]);
  const jobs = replicatedJobsOf(spec);
  return jobs[index]?.name === 'launcher'
    ? rankFrom({ value: '0' })
    : rankFrom(fieldRef("metadata.annotations['batch.kubernetes.io/job-completion-index']"), 1);
}

function replicatedJobsOf(spec: ManifestMap): readonly ManifestMap[] {
  const template = childMap(spec, 'template', 'spec');
  const jobSet = template && childMap(template, 'spec', 'spec.template');
  return jobSet ? childItems(jobSet, 'replicatedJobs', 'spec.template.spec') : [];
}

const firstTypes = ['Master', 'Chief', 'Launcher'];

/** The replica of the first type is 0; the others count from the number of those that come first. */
function rankOfReplica(resource: ManifestMap, keys: readonly string[]): readonly ManifestMap[] {
  const [, replicas = '', type = ''] = keys;
  if (firstTypes.includes(type)) return rankFrom({ value: '0' });
  const spec = childMap(resource, 'spec', '') ?? {};
  const types = childMap(spec, replicas, 'spec') ?? {};
  const hasFirst = firstTypes.some((it) => isManifestMap(types[it]));
  // The launcher of an MPIJob only starts the workers, and where it is a worker itself, its controller counts it.
  const offset = hasFirst && replicas !== 'mpiReplicaSpecs' ? 1 : 0;
  return rankFrom(label('training.kubeflow.org/replica-index'), offset);
}
