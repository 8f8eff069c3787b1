import { bridgeContainer, containerModeGraceSeconds, graceKey } from './container.ts';
import { childItems, stringField, withAppended, withField } from './fields.ts';
import { createRecord, type InjectionRecord, writeRecord } from './injection-record.ts';
import { planMetrics } from './metrics-mount.ts';
import type { InjectOptions } from './options.ts';
import type { Pod } from './pod.ts';
import { traceAnnotationsFor } from './trace.ts';
import type { EmptyText } from './yaml/empty-text.ts';
import type { ManifestMap } from './yaml/values.ts';

/** A holder of `metadata` and `spec` after an edit, and what a person should know about it. */
export interface EditedHolder {
  readonly holder: ManifestMap;
  readonly notes: readonly string[];
}

/** The label that the shipped NetworkPolicies let through to the Collector. */
export const networkLabel = { 'ml-metrics-bridge/sends': 'true' };

/** Adds the bridge to a pod that does not have it. */
export function addBridge(pod: Pod, options: InjectOptions, emptyText: EmptyText): EditedHolder {
  const { holder, position } = pod;
  const record = createRecord([[options.mode]]);
  const hostNetwork = pod.spec.hostNetwork === true;
  const { mount, hasVolume, without } = planMetrics(pod, options);
  let spec = withMounts(pod, without, { name: mount.volume, mountPath: mount.mountPath }, record, emptyText);
  const key = options.mode === 'native' ? 'initContainers' : 'containers';
  record.addEmpty(key, emptyText(pod.spec, key));
  // Last: a mesh's proxy is then up before the bridge and, as sidecars end in reverse order, there until after it.
  spec = withAppended(spec, key, bridgeContainer(options, mount, pod.location, hostNetwork), 'containers');
  if (!hasVolume) {
    record.addEmpty('volumes', emptyText(pod.spec, 'volumes'));
    spec = withAppended(spec, 'volumes', { name: mount.volume, emptyDir: {} });
    record.add('volume', mount.volume);
  }
  const notes = hostNetwork
    ? [`${position} uses the node's network: the bridge has no health port there`]
    : [];
  if (options.mode === 'container') {
    const grace = withGrace(spec, pod, record, emptyText);
    spec = grace.spec;
    notes.push(...grace.notes);
  }
  const added = { annotations: traceAnnotationsFor(pod, options.trace), labels: networkLabel };
  return { holder: withField(writeRecord(holder, record, added, emptyText), 'spec', spec), notes };
}

function withMounts(
  { spec, containers }: Pod,
  without: readonly ManifestMap[],
  mount: ManifestMap,
  record: InjectionRecord,
  emptyText: EmptyText,
): ManifestMap {
  const mounted = (container: ManifestMap) => {
    const name = stringField(container, 'name') ?? '';
    record.addEmpty(`${name}.volumeMounts`, emptyText(container, 'volumeMounts'));
    record.add('mount', `${name}/${mount.name}`);
    return withAppended(container, 'volumeMounts', mount);
  };
  const replacements = new Map(
    containers.filter((it) => without.includes(it)).map((it) => [it, mounted(it)]),
  );
  if (replacements.size === 0) return spec;
  const all = childItems(spec, 'containers', '').map((it) => replacements.get(it) ?? it);
  return withField(spec, 'containers', all);
}

/** The preStop wait takes its time from the pod's grace period. */
function withGrace(
  spec: ManifestMap,
  pod: Pod,
  record: InjectionRecord,
  emptyText: EmptyText,
): { readonly spec: ManifestMap; readonly notes: readonly string[] } {
  const present = spec[graceKey] ?? undefined;
  if (present === undefined) {
    record.addEmpty(graceKey, emptyText(pod.spec, graceKey));
    record.add('grace');
    return { spec: withField(spec, graceKey, containerModeGraceSeconds), notes: [] };
  }
  const note = `${pod.position}.${graceKey} is ${present}: below ${containerModeGraceSeconds} the bridge may be killed before its last export`;
  return { spec, notes: Number(present) >= containerModeGraceSeconds ? [] : [note] };
}
