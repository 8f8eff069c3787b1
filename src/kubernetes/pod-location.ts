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

/** Where a kind contains pod templates, and what its controller sets on the pods. */
export interface Kind {
  /** The group of the API, without its version; empty for the core group. */
  readonly group: string;
  readonly kind: string;
  /**
   * Paths from the resource to the objects with a pod's `metadata` and `spec`. `*` stands for every item of a list or
   * value of a map. The empty path is the resource itself.
   */
  readonly templates: readonly (readonly string[])[];
  /** The field of a pod that contains the name of its job; the pod's own name if no controller sets one. */
  readonly jobName: string;
  readonly rank: RankRule;
}

/** The resource and the path that a pod was found at. */
export interface PodLocation {
  readonly kind: Kind;
  readonly resource: ManifestMap;
  /** Path from the resource; list indices are strings. */
  readonly keys: readonly string[];
}
