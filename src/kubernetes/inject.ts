import { addBridge } from './add-bridge.ts';
import { type EditedManifest, editResources, type ResourceEdits } from './edit-resources.ts';
import type { InjectOptions } from './options.ts';
import { presentBridge } from './pod.ts';
import { skipReason } from './pod-selection.ts';
import { removeBridge } from './remove-bridge.ts';
import type { Resource } from './resource.ts';
import { addToTrainJob, removeFromTrainJob } from './train-job.ts';
import { updateBridge } from './update-bridge.ts';

/** Adds the bridge to every pod of a manifest, or changes the one that is there. */
export function injectManifest(manifest: string, options: InjectOptions): EditedManifest {
  const edited = editResources(manifest, {
    pod: (pod, source) => {
      if (presentBridge(pod)) return updateBridge(pod, options, source);
      const reason = skipReason(pod.location, options.rayNodes);
      if (reason === undefined) return addBridge(pod, options, source);
      return { holder: pod.holder, notes: [`${pod.position} does not get the bridge: ${reason}`] };
    },
    trainJob: (job, source) => addToTrainJob(job, options, source),
    strict: options.strict,
    inverse: removal,
  });
  if (edited.status === 'invalid' || !options.trainJobStatus || edited.resources.some(isTrainJob))
    return edited;
  return { ...edited, notes: [...edited.notes, 'there is no TrainJob: --trainjob-status has no effect'] };
}

const isTrainJob = ({ kind }: Resource) => kind === 'TrainJob';

/** Removes what `injectManifest` added. */
export const removeFromManifest = (manifest: string): EditedManifest => editResources(manifest, removal);

const removal: ResourceEdits = { pod: removeBridge, trainJob: removeFromTrainJob };
