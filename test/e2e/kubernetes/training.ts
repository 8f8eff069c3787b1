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

/** A runtime of two nodes whose replicated job has this name. */
export const trainingRuntime = (name: string, jobId: string, replicatedJob: string) =>
  resource('trainer.kubeflow.org/v1alpha1', 'TrainingRuntime', name, {
    mlPolicy: { numNodes: 2 },
    template: {
      spec: {
        replicatedJobs: [
          {
            name: replicatedJob,
            template: {
              metadata: { labels: { 'trainer.kubeflow.org/trainjob-ancestor-step': 'trainer' } },
              spec: { template: templateOf(jobId, 'node') },
            },
          },
        ],
      },
    },
  });
