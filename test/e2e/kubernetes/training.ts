import { namespace } from './cluster.ts';

/** A pod template whose trainer writes 20 snapshots, as Pod Security `restricted` wants it. */
export const templateOf = (jobId: string, container = 'trainer') => ({
  spec: {
    restartPolicy: 'Never',
    securityContext: { runAsNonRoot: true, fsGroup: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name: container,
        image: 'ml-metrics-bridge:latest',
        imagePullPolicy: 'IfNotPresent',
        args: ['simulate'],
        env: [
          { name: 'JOB_ID', value: jobId },
          { name: 'WRITE_INTERVAL', value: '0.2' },
          { name: 'TOTAL_EPOCHS', value: '2' },
          { name: 'BATCHES_PER_EPOCH', value: '10' },
        ],
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  },
});

export const resource = (apiVersion: string, kind: string, name: string, spec: object) => ({
  apiVersion,
  kind,
  metadata: { name, namespace },
  spec,
});

const replicatedJobOf = (name: string, step: string, podTemplate: object) => ({
  name,
  template: {
    metadata: { labels: { 'trainer.kubeflow.org/trainjob-ancestor-step': step } },
    spec: { template: podTemplate },
  },
});

const runtimeOf = (name: string, replicatedJobs: readonly object[]) =>
  resource('trainer.kubeflow.org/v1alpha1', 'TrainingRuntime', name, {
    mlPolicy: { numNodes: 2 },
    template: { spec: { replicatedJobs } },
  });

/** A runtime of two nodes whose replicated job has this name. */
export const trainingRuntime = (name: string, jobId: string, replicatedJob: string) =>
  runtimeOf(name, [replicatedJobOf(replicatedJob, 'trainer', templateOf(jobId, 'node'))]);

/** As above, and before the training, a replicated job `dataset-initializer` runs to its end. */
export function runtimeWithInitializer(name: string, jobId: string, replicatedJob: string) {
  const initializer = 'dataset-initializer';
  const { spec } = templateOf(jobId, initializer);
  const containers = spec.containers.map((it) => ({ ...it, args: ['--version'] }));
  return runtimeOf(name, [
    replicatedJobOf(initializer, initializer, { spec: { ...spec, containers } }),
    {
      ...replicatedJobOf(replicatedJob, 'trainer', templateOf(jobId, 'node')),
      dependsOn: [{ name: initializer, status: 'Complete' }],
    },
  ]);
}
