/** Where a kind holds pods: keys from the document's root; `*` stands for every item of a list or value of a map. */
export interface Kind {
  /** The group of the API, without its version; empty for the core group. */
  readonly group: string;
  readonly kind: string;
  /** Each leads to what holds a pod's `metadata` and `spec`; the empty path is the document itself. */
  readonly templates: readonly (readonly string[])[];
}

const template = ['spec', 'template'];
const jobSetTemplate = ['spec', 'replicatedJobs', '*', 'template', ...template];

/** Every kind that can take the bridge. */
export const kinds: readonly Kind[] = [
  { group: '', kind: 'Pod', templates: [[]] },
  { group: 'apps', kind: 'Deployment', templates: [template] },
  { group: 'apps', kind: 'StatefulSet', templates: [template] },
  { group: 'batch', kind: 'Job', templates: [template] },
  { group: 'batch', kind: 'CronJob', templates: [['spec', 'jobTemplate', ...template]] },
  { group: 'jobset.x-k8s.io', kind: 'JobSet', templates: [jobSetTemplate] },
  {
    group: 'kubeflow.org',
    kind: 'PyTorchJob',
    templates: [['spec', 'pytorchReplicaSpecs', '*', 'template']],
  },
  { group: 'trainer.kubeflow.org', kind: 'TrainingRuntime', templates: [[...template, ...jobSetTemplate]] },
  {
    group: 'trainer.kubeflow.org',
    kind: 'ClusterTrainingRuntime',
    templates: [[...template, ...jobSetTemplate]],
  },
  {
    // The driver runs on the head; the submitter's pod only waits for it.
    group: 'ray.io',
    kind: 'RayJob',
    templates: [
      ['spec', 'rayClusterSpec', 'headGroupSpec', 'template'],
      ['spec', 'rayClusterSpec', 'workerGroupSpecs', '*', 'template'],
    ],
  },
];

/** Kinds that often share a file with a job and hold no pods: they go through as they are. */
export const passThroughKinds: ReadonlySet<string> = new Set([
  'ClusterRole',
  'ClusterRoleBinding',
  'ConfigMap',
  'CustomResourceDefinition',
  'Event',
  'HorizontalPodAutoscaler',
  'Ingress',
  'LimitRange',
  'LocalQueue',
  'Namespace',
  'NetworkPolicy',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'PodMonitor',
  'PriorityClass',
  'ResourceQuota',
  'Role',
  'RoleBinding',
  'Secret',
  'Service',
  'ServiceAccount',
  'ServiceMonitor',
  'StorageClass',
]);
