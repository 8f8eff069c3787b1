import type { ManifestMap } from './yaml/values.ts';

/**
 * How the pods of a kind know their rank:
 * - `completion-index`: of an indexed Job
 * - `job-set`: by the completion index or the index of the Job
 * - `training-runtime`: as a JobSet; of an MPI runtime the launcher comes first
 * - `worker-index`: of a LeaderWorkerSet, whose leader is 0
 * - `replicas`: the index within the replicas of a type, where those of Master or Chief come first
 */
export type RankRule =
  | 'completion-index'
  | 'job-set'
  | 'training-runtime'
  | 'worker-index'
  | 'replicas'
  | 'none';

/** Where a kind holds pods, and what its controller writes on them. */
export interface Kind {
  /** The group of the API, without its version; empty for the core group. */
  readonly group: string;
  readonly kind: string;
  /**
   * Keys from the resource's root to what holds a pod's `metadata` and `spec`; `*` stands for every item of a list or
   * value of a map, and the empty path is the resource itself.
   */
  readonly templates: readonly (readonly string[])[];
  /** The field of a pod that names its job; the pod's own name where no controller writes one. */
  readonly jobName: string;
  readonly rank: RankRule;
}

/** Which of a resource's pods it is. */
export interface PodLocation {
  readonly kind: Kind;
  readonly resource: ManifestMap;
  /** Keys from the resource's root; an index in a list is a text. */
  readonly keys: readonly string[];
}
