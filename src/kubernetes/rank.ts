import { isTrue, valueAt } from './fields.ts';
import type { PodLocation } from './pod-location.ts';
import { isList, type ManifestMap, type ManifestValue } from './yaml/values.ts';

const fieldRef = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
const label = (name: string) => fieldRef(`metadata.labels['${name}']`);

const completionIndexField = "metadata.annotations['batch.kubernetes.io/job-completion-index']";
const completionIndex = [{ name: 'JOB_COMPLETION_INDEX', ...fieldRef(completionIndexField) }];
const rankFrom = (source: ManifestMap, offset = 0): readonly ManifestMap[] => [
  { name: 'RANK', ...source },
  ...(offset === 0 ? [] : [{ name: 'RANK_OFFSET', value: String(offset) }]),
];

/** The variables that give the bridge its rank; none if no field of the pod contains it. */
export function rankVariables({ kind, resource, keys }: PodLocation): readonly ManifestMap[] {
  switch (kind.rank) {
    case 'completion-index':
      return completionIndex;
    case 'job-set':
      return rankInJobSet(valueAt(resource, ['spec', 'replicatedJobs']));
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

/** Each replicated job counts from 0. If there are several, their indices are not ranks. */
function rankInJobSet(jobs: ManifestValue): readonly ManifestMap[] {
  if (!isList(jobs) || jobs.length !== 1) return [];
  const [job] = jobs;
  if ((valueAt(job, ['replicas']) ?? 1) === 1) return completionIndex;
  const parallelism = valueAt(job, ['template', 'spec', 'parallelism']) ?? 1;
  return parallelism === 1 ? rankFrom(label('jobset.sigs.k8s.io/job-index')) : [];
}

/** The controller creates one Job for all nodes of the trainer, so the completion index is the rank. */
function rankInRuntime(runtime: ManifestMap, keys: readonly string[]): readonly ManifestMap[] {
  if (!isTrue(valueAt(runtime, ['spec', 'mlPolicy', 'mpi', 'runLauncherAsNode']))) return completionIndex;
  const job = keys.slice(0, keys.indexOf('replicatedJobs') + 2);
  return valueAt(runtime, [...job, 'name']) === 'launcher'
    ? rankFrom({ value: '0' })
    : rankFrom(fieldRef(completionIndexField), 1);
}

const firstTypes = ['Master', 'Chief', 'Launcher'];

/** The Master, Chief or Launcher is 0; the workers follow. */
function rankOfReplica(resource: ManifestMap, keys: readonly string[]): readonly ManifestMap[] {
  const [, replicas = '', type = ''] = keys;
  if (firstTypes.includes(type)) return rankFrom({ value: '0' });
  const hasFirst = firstTypes.some((it) => valueAt(resource, ['spec', replicas, it]) !== undefined);
  // The workers of an MPIJob count from 0, or from 1 by its controller if the launcher is a worker, too.
  const offset = hasFirst && replicas !== 'mpiReplicaSpecs' ? 1 : 0;
  return rankFrom(label('training.kubeflow.org/replica-index'), offset);
}
