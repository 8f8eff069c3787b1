import { bridgeSettings } from '../config/bridge.ts';
import { containerName } from './container.ts';
import { describeResource } from './resource.ts';
import { hasPatchOf, replicatedJobsOfPatch, withPodPatch } from './runtime-patch.ts';
import { ManifestProblem } from './yaml/problem.ts';
import type { ManifestMap } from './yaml/values.ts';

/** Apart from the one of the trace, so that each of the two can be added alone and be removed alone. */
export const statusManager = 'ml-metrics-bridge.dev/status';

/** Turns off the callback of Hugging Face transformers, which posts a status too: each post replaces the whole status. */
export const callbackVariable = 'DISABLE_KUBEFLOW_INTEGRATION';

/** The address of the controller in Kubeflow Trainer's own manifests. */
const server = 'https://kubeflow-trainer-controller-manager.kubeflow-system.svc:10443';

const volume = 'trainjob-status';
const mountPath = '/var/run/secrets/trainjob-status';

/**
 * Lets the bridge of the runtime post the status of this TrainJob. Kubeflow Trainer gives a token to the trainer only, not
 * to a native sidecar, so the patch mounts one. Returns the same spec if it has the patch already.
 */
export function withStatusPatch(spec: ManifestMap, job: ManifestMap, replicatedJob: string): ManifestMap {
  if (hasPatchOf(spec, statusManager)) return spec;
  const { name, namespace } = describeResource(job);
  if (name === undefined) throw new ManifestProblem(missing('name'));
  if (namespace === undefined) throw new ManifestProblem(missing('namespace'));
  return withPodPatch(spec, statusManager, [replicatedJob], {
    spec: { volumes: [volumeFor(name, namespace)], initContainers: [bridgeFor(name, namespace)] },
  });
}

/** A note if the patch is for a replicated job that is not among these, which have the bridge in the runtime. */
export function statusPatchNotes(spec: ManifestMap, replicatedJobs: readonly string[]): readonly string[] {
  const unmatched = replicatedJobsOfPatch(spec, statusManager).filter((it) => !replicatedJobs.includes(it));
  return unmatched.map(
    (name) =>
      `spec.runtimePatches of ${statusManager} is for the replicated job "${name}". If the runtime has none of this name with the bridge as a native sidecar, the TrainJob never runs`,
  );
}

const missing = (key: string) => `metadata.${key} is missing: --trainjob-status needs it for the token`;

const statusPath = (name: string, namespace: string) =>
  `trainer.kubeflow.org/v1alpha1/namespaces/${namespace}/trainjobs/${name}/status`;

/** The ConfigMap is optional: it does not exist where the feature gate is off, and the pod has to start all the same. */
const volumeFor = (name: string, namespace: string): ManifestMap => ({
  name: volume,
  projected: {
    sources: [
      {
        serviceAccountToken: {
          audience: statusPath(name, namespace),
          expirationSeconds: 3600,
          path: 'token',
        },
      },
      {
        configMap: {
          name: `${name}-tls-config`,
          optional: true,
          items: [{ key: 'ca.crt', path: 'ca.crt' }],
        },
      },
    ],
  },
});

const bridgeFor = (name: string, namespace: string): ManifestMap => ({
  name: containerName,
  env: [
    { name: bridgeSettings.trainJobStatus.variable, value: 'true' },
    {
      name: bridgeSettings.trainJobStatusUrl.variable,
      value: `${server}/apis/${statusPath(name, namespace)}`,
    },
    { name: bridgeSettings.trainJobStatusCaFile.variable, value: `${mountPath}/ca.crt` },
    { name: bridgeSettings.trainJobStatusTokenFile.variable, value: `${mountPath}/token` },
  ],
  volumeMounts: [{ name: volume, mountPath, readOnly: true }],
});
