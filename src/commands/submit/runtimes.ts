import {
  type JobsOfRuntimeOf,
  jobsOfRuntime,
  type KnownRuntime,
  lookUpRuntimes,
  type RuntimeReference,
  runtimeKey,
} from '../../kubernetes/runtime.ts';
import type { ManifestMap } from '../../kubernetes/yaml/values.ts';
import { kubectlGet, namespaceOptions } from './kubectl.ts';

/** What the runtimes of TrainJobs contain, as read from the cluster. */
export interface Runtimes {
  readonly jobsOfRuntimeOf: JobsOfRuntimeOf;
  /** For the user: why the bridge of a TrainJob is not in the trace. */
  readonly notes: readonly string[];
}

/**
 * Reads the runtimes. A patch for a replicated job that a runtime does not have is accepted, and then the TrainJob never
 * runs, so only what was seen in the cluster is patched.
 */
export async function readRuntimes(
  references: readonly RuntimeReference[],
  namespace: string | undefined,
): Promise<Runtimes> {
  const unique = [...new Map(references.map((it) => [runtimeKey(it), it])).values()];
  const readings = await Promise.all(unique.map((it) => readRuntime(it, namespace)));
  return {
    jobsOfRuntimeOf: lookUpRuntimes(readings.flatMap(({ runtime }) => runtime ?? [])),
    notes: readings.flatMap(({ note }) => note ?? []),
  };
}

interface RuntimeReading {
  readonly runtime: KnownRuntime | undefined;
  readonly note: string | undefined;
}

async function readRuntime(
  reference: RuntimeReference,
  namespace: string | undefined = reference.namespace,
): Promise<RuntimeReading> {
  const kind = reference.kind.toLowerCase();
  const title = `${kind} ${reference.name}`;
  const options = namespaceOptions(namespace);
  const fetched = await kubectlGet(`${kind}.trainer.kubeflow.org`, reference.name, options);
  if (fetched.status === 'failed')
    return { runtime: undefined, note: `${title} cannot be read: ${fetched.reason}` };
  const jobs = jobsOfRuntime(fetched.object as ManifestMap);
  const note =
    jobs.withBridge.length === 0
      ? `${title} has no bridge: kubectl get ${title} -o yaml | ml-metrics-bridge inject | kubectl apply -f -`
      : undefined;
  return { runtime: { reference, jobs }, note };
}
