import { isTrue, valueAt } from './fields.ts';
import type { RayNodes } from './options.ts';
import type { PodLocation } from './pod-location.ts';

/** Why the bridge is not added to a pod, because no training runs in it; undefined if it is added. */
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
  const jobTemplate = keys.slice(0, keys.indexOf('replicatedJobs') + 3);
  const step = valueAt(resource, [...jobTemplate, 'metadata', 'labels', stepLabel]);
  return String(step).endsWith('-initializer') ? `${step} does not train` : undefined;
}

/** The launcher of an MPIJob starts the training on the workers, where rank 0 then writes the file. */
function skippedLauncher({ resource, keys }: PodLocation): string | undefined {
  const hasWorkers = valueAt(resource, ['spec', 'mpiReplicaSpecs', 'Worker']) !== undefined;
  const isWorker = isTrue(valueAt(resource, ['spec', 'runLauncherAsWorker']));
  return keys[2] === 'Launcher' && hasWorkers && !isWorker
    ? 'the launcher only starts the training on the workers'
    : undefined;
}
