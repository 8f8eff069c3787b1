import { bridgeSettings } from '../config/bridge.ts';
import { containerName } from './container.ts';
import { describeResource } from './resource.ts';
import type { RuntimeJobs } from './runtime.ts';
import { hasPatchOf, replicatedJobsOfPatch, traceManager, withPodPatch } from './runtime-patch.ts';
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

/** A note if there is the patch and the runtime is not known. */
export function unknownRuntimeNotes(spec: ManifestMap): readonly string[] {
  return replicatedJobsOfPatch(spec, statusManager).map(
    (name) =>
      `spec.runtimePatches of ${statusManager} is for the replicated job "${name}". If the runtime has none of this name with the bridge as a native sidecar, the TrainJob never runs`,
  );
}

/**
 * Throws a ManifestProblem if a patch of the bridge is for a replicated job that the runtime does not have. Kubeflow
 * Trainer would accept the TrainJob, never run it, and not say so in its status. The patch of the status also needs the
 * bridge among the init containers, where it changes it.
 */
export function checkPatches(spec: ManifestMap, { all, withBridge, withSidecar }: RuntimeJobs): void {
  const check = (manager: string, names: readonly string[], problem: string) => {
    const unknown = replicatedJobsOfPatch(spec, manager).find((it) => !names.includes(it));
    if (unknown === undefined) return;
    const present =
      withBridge.length === 0 ? 'none has the bridge' : `the bridge is in ${withBridge.join(', ')}`;
    throw new ManifestProblem(
      `spec.runtimePatches of ${manager} is for the replicated job "${unknown}", which ${problem} in the runtime (${present}): the TrainJob would never run. Name the right one with inject --replicated-job; inject --remove removes a patch that the manifest has already`,
    );
  };
  check(traceManager, all, 'does not exist');
  check(statusManager, withSidecar, 'does not exist or has no bridge as a native sidecar');
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
