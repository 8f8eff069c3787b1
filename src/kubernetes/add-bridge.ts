import { bridgeContainer, containerModeGraceSeconds, graceKey } from './container.ts';
import { childItems, isTrue, stringField, withAppended, withField } from './fields.ts';
import { createRecord, type InjectionRecord, labelsOf, writeRecord } from './injection-record.ts';
import { checkRankFiles, planMetrics } from './metrics-mount.ts';
import type { InjectOptions } from './options.ts';
import type { Pod } from './pod.ts';
import { traceAnnotationsFor } from './trace.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

/** An object with `metadata` and `spec` after an edit, and notes for the user. */
export interface EditedHolder {
  readonly holder: ManifestMap;
  readonly notes: readonly string[];
}

/** The label that the shipped NetworkPolicies require for access to the Collector. */
export const networkLabel = { 'ml-metrics-bridge/sends': 'true' };

const missingLabel =
  'where NetworkPolicies ask for the label ml-metrics-bridge/sends: "true", add it by hand';

/** Adds the bridge to a pod that does not have it. */
export function addBridge(pod: Pod, options: InjectOptions, source: SourceText): EditedHolder {
  const { holder, position } = pod;
  const record = createRecord([[options.mode]]);
  const hostNetwork = isTrue(pod.spec.hostNetwork);
  const { mount, hasVolume, without } = planMetrics(pod, options);
  if (options.rankFiles !== undefined)
    checkRankFiles(options.rankFiles, [{ mountPath: mount.mountPath }], position);
  let spec = withMounts(pod, without, { name: mount.volume, mountPath: mount.mountPath }, record, source);
  const key = options.mode === 'native' ? 'initContainers' : 'containers';
  record.addEmpty(key, source.emptyText(pod.spec, key));
  // Sidecars start in order and stop in reverse order, so a mesh's proxy runs for as long as the bridge.
  spec = withAppended(spec, key, bridgeContainer(options, mount, pod.location, hostNetwork), 'containers');
  if (!hasVolume) {
    record.addEmpty('volumes', source.emptyText(pod.spec, 'volumes'));
    spec = withAppended(spec, 'volumes', { name: mount.volume, emptyDir: {} });
    record.add('volume', mount.volume);
  }
  const notes = hostNetwork
    ? [`${position} uses the node's network: the bridge has no health port there`]
    : [];
  const presentLabels = labelsOf(holder, position);
  const isShared = presentLabels !== undefined && source.isShared(presentLabels);
  if (isShared) notes.push(`the labels of the pod are used elsewhere too: ${missingLabel}`);
  if (options.mode === 'container') {
    const grace = withGrace(spec, pod, record, source);
    spec = grace.spec;
    notes.push(...grace.notes);
  }
  const added = {
    annotations: traceAnnotationsFor(pod, options.trace),
    labels: isShared ? {} : networkLabel,
  };
  return { holder: withField(writeRecord(holder, record, added, source), 'spec', spec), notes };
}

function withMounts(
  { spec, containers }: Pod,
  without: readonly ManifestMap[],
  mount: ManifestMap,
  record: InjectionRecord,
  source: SourceText,
): ManifestMap {
  const mounted = (container: ManifestMap) => {
    const name = stringField(container, 'name') ?? '';
    record.addEmpty(`${name}.volumeMounts`, source.emptyText(container, 'volumeMounts'));
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

/** The preStop wait counts against the pod's grace period. */
function withGrace(
  spec: ManifestMap,
  pod: Pod,
  record: InjectionRecord,
  source: SourceText,
): { readonly spec: ManifestMap; readonly notes: readonly string[] } {
  const present = spec[graceKey] ?? undefined;
  if (present === undefined) {
    record.addEmpty(graceKey, source.emptyText(pod.spec, graceKey));
    record.add('grace');
    return { spec: withField(spec, graceKey, containerModeGraceSeconds), notes: [] };
  }
  const note = `${pod.position}.${graceKey} is ${present}: below ${containerModeGraceSeconds} the bridge may be killed before its last export`;
  return { spec, notes: Number(present) >= containerModeGraceSeconds ? [] : [note] };
}
