import { injectToAnnotations, injectToEnvList, withOperation } from 'ml-metrics-bridge/tracing';
import type { Model } from './registry.ts';

export interface Training {
  readonly name: string;
  readonly model: Model;
}

/** Creates a resource in the cluster. Rejects with the reason where the cluster does not take it. */
export type CreateResource = (manifest: object) => Promise<void>;

/** Submits a training job in a span, which becomes the parent of the spans in the job's pods. */
export function submitTraining(training: Training, create: CreateResource): Promise<void> {
  const { name, model } = training;
  const values = { jobName: name, jobType: 'Job', model: model.name, 'model.version': model.version };
  return withOperation('trainer.submit_job', values, () => create(jobManifest(training)));
}

/** Has to be called within the span, because the context of the active span is injected. */
function jobManifest({ name, model }: Training): object {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      template: {
        metadata: {
          // The admission policy of ml-metrics-bridge adds the sidecar to pods with this label.
          labels: { 'ml-metrics-bridge/inject': 'true' },
          annotations: injectToAnnotations({}),
        },
        spec: {
          restartPolicy: 'Never',
          containers: [
            {
              name: 'trainer',
              image: model.image,
              env: injectToEnvList([{ name: 'MODEL_URI', value: model.uri }]),
            },
          ],
        },
      },
    },
  };
}
