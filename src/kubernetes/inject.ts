import { addBridge } from './add.ts';
import { type Edited, editResources } from './edit-resources.ts';
import type { InjectOptions } from './options.ts';
import { removeBridge } from './remove.ts';
import { addToTrainJob, removeFromTrainJob } from './train-job.ts';

/** Adds the bridge to every pod of a manifest. */
export function injectManifest(manifest: string, options: InjectOptions): Edited {
  return editResources(manifest, {
    pod: (document, pod) => addBridge(document, pod, options),
    trainJob: (document, job) => addToTrainJob(document, job, options),
  });
}

/** Takes out again what `injectManifest` has put in. */
export function removeFromManifest(manifest: string): Edited {
  return editResources(manifest, {
    pod: (_document, pod) => removeBridge(pod),
    trainJob: (_document, job) => removeFromTrainJob(job),
  });
}
