import { childMap, stringField } from './fields.ts';
import type { RayNodes } from './options.ts';
import type { PodLocation } from './pod-location.ts';
import { isManifestMap, type ManifestMap } from './yaml/values.ts';

/** Why a pod of a training job does not get the bridge: no training runs in it. Undefined where it does. */
export function skipReason(location: PodLocation, rayNodes: RayNodes): string | undefined {
  const { kind, keys } = location;
  if (kind.group === 'ray.io') return skippedRayGroup(keys, rayNodes);
  if (kind.rank === 'training-runtime') return skippedStep(location);
  if (kind.kind === 'MPIJob') return skippedLauncher(location);
  if (kind.kind === 'TFJob' && ['PS', 'Evaluator'].includes(keys[2] ?? ''))
    return `replicas of type ${keys[2]} do not train`;
  return undefined;
}

function skippedRayGroup(keys: readonly string[], rayNodes: RayNodes): string | undefined {
  const nodes = keys.includes('headGroupSpec') ? 'head' : 'workers';
  return rayNodes === 'all' || rayNodes === nodes ? undefined : `--ray-nodes is ${rayNodes}`;
}

const stepLabel = 'trainer.kubeflow.org/trainjob-ancestor-step';

/** Initializers fetch data and models before the training. */
function skippedStep({ resource, keys }: PodLocation): string | undefined {
  const path = keys.slice(0, keys.indexOf('replicatedJobs') + 3);
  const jobTemplate = path.reduce<unknown>(
    (value, key) => (value as ManifestMap | undefined)?.[key],
    resource,
  );
  const metadata = isManifestMap(jobTemplate as ManifestMap)
    ? childMap(jobTemplate as ManifestMap, 'metadata', '')
    : undefined;
  const labels = metadata && childMap(metadata, 'labels', 'metadata');
  const step = stringField(labels, stepLabel);
  return step?.endsWith('-initializer') ? `${step} does not train` : undefined;
}

/** The launcher of an MPIJob starts the training on the workers, where rank 0 then writes the file. */
function skippedLauncher({ resource, keys }: PodLocation): string | undefined {
  const spec = childMap(resource, 'spec', '') ?? {};
  const replicas = childMap(spec, 'mpiReplicaSpecs', 'spec') ?? {};
  const isOnlyLauncher = keys[2] === 'Launcher' && isManifestMap(replicas.Worker);
  return isOnlyLauncher && spec.runLauncherAsWorker !== true
    ? 'the launcher only starts the training on the workers'
    : undefined;
}
