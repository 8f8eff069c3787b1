import {
  jobsOfRuntime,
  type RuntimeJobs,
  type RuntimeReference,
  runtimeOf,
} from '../../kubernetes/runtime-patch.ts';
import type { JobsOfRuntimeOf } from '../../kubernetes/trace-manifest.ts';
import type { ManifestMap } from '../../kubernetes/yaml/values.ts';
import { kubectlGet, namespaceOptions } from './kubectl.ts';

/** What the runtimes of TrainJobs contain, as read from the cluster. */
export interface Runtimes {
  readonly jobsOfRuntimeOf: JobsOfRuntimeOf;
  /** For the user: why the bridge of a TrainJob is not in the trace. */
  readonly notes: readonly string[];
}

const titleOf = ({ kind, name }: RuntimeReference) => `${kind.toLowerCase()} ${name}`;
const keyOf = (it: RuntimeReference) => `${titleOf(it)} ${it.namespace ?? ''}`;

/**
 * Reads the runtimes. A patch for a replicated job that a runtime does not have is accepted, and then the TrainJob never
 * runs, so only what was seen in the cluster is patched.
 */
export async function readRuntimes(
  references: readonly RuntimeReference[],
  namespace: string | undefined,
): Promise<Runtimes> {
  const unique = [...new Map(references.map((it) => [keyOf(it), it])).values()];
  const readings = await Promise.all(unique.map((it) => readRuntime(it, namespace)));
  const jobs = new Map(readings.map(({ key, runtimeJobs }) => [key, runtimeJobs]));
  return {
    jobsOfRuntimeOf(job) {
      const runtime = runtimeOf(job);
      return runtime && jobs.get(keyOf(runtime));
    },
    notes: readings.flatMap(({ note }) => note ?? []),
  };
}

interface RuntimeReading {
  readonly key: string;
  readonly runtimeJobs: RuntimeJobs | undefined;
  readonly note: string | undefined;
}

async function readRuntime(
  reference: RuntimeReference,
  namespace: string | undefined = reference.namespace,
): Promise<RuntimeReading> {
  const [key, title] = [keyOf(reference), titleOf(reference)];
  const kind = `${reference.kind.toLowerCase()}.trainer.kubeflow.org`;
  const fetched = await kubectlGet(kind, reference.name, namespaceOptions(namespace));
  if (fetched.status === 'failed')
    return { key, runtimeJobs: undefined, note: `${title} cannot be read: ${fetched.reason}` };
  const runtimeJobs = jobsOfRuntime(fetched.object as ManifestMap);
  const note =
    runtimeJobs.withBridge.length === 0
      ? `${title} has no bridge: kubectl get ${title} -o yaml | ml-metrics-bridge inject | kubectl apply -f -`
      : undefined;
  return { key, runtimeJobs, note };
}
