import { addBridge } from './add-bridge.ts';
import { type EditedManifest, editResources, type ResourceEdits } from './edit-resources.ts';
import type { InjectOptions } from './options.ts';
import { presentBridge } from './pod.ts';
import { skipReason } from './pod-selection.ts';
import { removeBridge } from './remove-bridge.ts';
import { type KnownRuntime, lookUpRuntimes, runtimeKinds, runtimesContainedIn } from './runtime.ts';
import { addToTrainJob, removeFromTrainJob } from './train-job.ts';
import { updateBridge } from './update-bridge.ts';

/**
 * Adds the bridge to every pod of a manifest, or changes the one that is there. A TrainJob is checked against its runtime
 * if the manifest contains both.
 */
export function injectManifest(manifest: string, options: InjectOptions): EditedManifest {
  const edited = editManifest(manifest, options, []);
  if (edited.status === 'invalid') return edited;
  if (edited.resources.some(({ kind }) => kind === 'TrainJob')) {
    const hasRuntime = edited.resources.some(({ kind }) => runtimeKinds.has(kind));
    // A runtime can stand after its TrainJob, and has the bridge only in the edited manifest.
    return hasRuntime ? editManifest(manifest, options, runtimesContainedIn(edited.text)) : edited;
  }
  if (!options.trainJobStatus) return edited;
  return { ...edited, notes: [...edited.notes, 'there is no TrainJob: --trainjob-status has no effect'] };
}

function editManifest(
  manifest: string,
  options: InjectOptions,
  runtimes: readonly KnownRuntime[],
): EditedManifest {
  const jobsOfRuntimeOf = lookUpRuntimes(runtimes);
  return editResources(manifest, {
    pod: (pod, source) => {
      if (presentBridge(pod)) return updateBridge(pod, options, source);
      const reason = skipReason(pod.location, options.rayNodes);
      if (reason === undefined) return addBridge(pod, options, source);
      return { holder: pod.holder, notes: [`${pod.position} does not get the bridge: ${reason}`] };
    },
    trainJob: (job, source) => addToTrainJob(job, options, source, jobsOfRuntimeOf(job)),
    strict: options.strict,
    inverse: removal,
  });
}

/** Removes what `injectManifest` added. */
export const removeFromManifest = (manifest: string): EditedManifest => editResources(manifest, removal);

const removal: ResourceEdits = { pod: removeBridge, trainJob: removeFromTrainJob };
