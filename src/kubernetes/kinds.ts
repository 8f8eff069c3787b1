import type { Kind } from './pod-location.ts';

const template = ['spec', 'template'];
const jobSetTemplate = ['spec', 'replicatedJobs', '*', 'template', ...template];

const podName = 'metadata.name';
const label = (name: string) => `metadata.labels['${name}']`;
const jobLabel = label('batch.kubernetes.io/job-name');
const jobSetLabel = label('jobset.sigs.k8s.io/jobset-name');

/** The kinds of the Kubeflow training operator differ in the key of their replicas only. */
const kubeflowJob = (kind: string, replicas: string): Kind => ({
  group: 'kubeflow.org',
  kind,
  templates: [['spec', replicas, '*', 'template']],
  jobName: label('training.kubeflow.org/job-name'),
  rank: 'replicas',
});

const runtime = (kind: string): Kind => ({
  group: 'trainer.kubeflow.org',
  kind,
  templates: [[...template, ...jobSetTemplate]],
  jobName: jobSetLabel,
  rank: 'training-runtime',
});

/** The driver of a RayJob runs on the head; the submitter's pod only waits for it. */
const ray = (kind: string, cluster: readonly string[]): Kind => ({
  group: 'ray.io',
  kind,
  templates: [
    [...cluster, 'headGroupSpec', 'template'],
    [...cluster, 'workerGroupSpecs', '*', 'template'],
  ],
  jobName: label('ray.io/cluster'),
  rank: 'none',
});

/** Every kind that the bridge can be added to. */
export const kinds: readonly Kind[] = [
  { group: '', kind: 'Pod', templates: [[]], jobName: podName, rank: 'completion-index' },
  { group: 'apps', kind: 'Deployment', templates: [template], jobName: podName, rank: 'none' },
  { group: 'apps', kind: 'StatefulSet', templates: [template], jobName: podName, rank: 'none' },
  { group: 'batch', kind: 'Job', templates: [template], jobName: jobLabel, rank: 'completion-index' },
  {
    group: 'batch',
    kind: 'CronJob',
    templates: [['spec', 'jobTemplate', ...template]],
    jobName: jobLabel,
    rank: 'completion-index',
  },
  {
    group: 'jobset.x-k8s.io',
    kind: 'JobSet',
    templates: [jobSetTemplate],
    jobName: jobSetLabel,
    rank: 'job-set',
  },
  {
    group: 'leaderworkerset.x-k8s.io',
    kind: 'LeaderWorkerSet',
    templates: [
      ['spec', 'leaderWorkerTemplate', 'leaderTemplate'],
      ['spec', 'leaderWorkerTemplate', 'workerTemplate'],
    ],
    jobName: label('leaderworkerset.sigs.k8s.io/name'),
    rank: 'worker-index',
  },
  kubeflowJob('PyTorchJob', 'pytorchReplicaSpecs'),
  kubeflowJob('TFJob', 'tfReplicaSpecs'),
  kubeflowJob('JAXJob', 'jaxReplicaSpecs'),
  kubeflowJob('XGBoostJob', 'xgbReplicaSpecs'),
  kubeflowJob('PaddleJob', 'paddleReplicaSpecs'),
  kubeflowJob('MPIJob', 'mpiReplicaSpecs'),
  runtime('TrainingRuntime'),
  runtime('ClusterTrainingRuntime'),
  ray('RayCluster', ['spec']),
  ray('RayJob', ['spec', 'rayClusterSpec']),
  ray('RayService', ['spec', 'rayClusterConfig']),
  ray('RayCronJob', ['spec', 'jobTemplate', 'rayClusterSpec']),
];

/** Kinds without pods that are often in the same file as a job. They are passed through unchanged. */
export const passThroughKinds: ReadonlySet<string> = new Set([
  'APIService',
  'ClusterQueue',
  'ClusterRole',
  'ClusterRoleBinding',
  'ConfigMap',
  'CustomResourceDefinition',
  'Endpoints',
  'EndpointSlice',
  'Event',
  'HorizontalPodAutoscaler',
  'Ingress',
  'LimitRange',
  'LocalQueue',
  'MutatingWebhookConfiguration',
  'Namespace',
  'NetworkPolicy',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'PodDisruptionBudget',
  'PodGroup',
  'PodMonitor',
  'PriorityClass',
  'PrometheusRule',
  'ResourceFlavor',
  'ResourceQuota',
  'Role',
  'RoleBinding',
  'RuntimeClass',
  'Secret',
  'Service',
  'ServiceAccount',
  'ServiceMonitor',
  'StorageClass',
  'ValidatingWebhookConfiguration',
  'WorkloadPriorityClass',
]);
