import type { EditedHolder } from './add-bridge.ts';
import { containerName, graceKey } from './container.ts';
import { childItems, findNamed, withField, withItems, withoutField, withoutItem } from './fields.ts';
import { eraseRecord, type InjectionRecord, readRecord } from './injection-record.ts';
import { type Pod, presentBridge } from './pod.ts';
import { type ManifestMap, verbatim } from './yaml/values.ts';

/** Removes from a pod what `inject` added, and nothing else. */
export function removeBridge(pod: Pod): EditedHolder {
  const { holder, position } = pod;
  const record = readRecord(holder, position);
  if (record === undefined) {
    const note = `${position} has a ${containerName} that inject has not added: it is left there`;
    return { holder, notes: presentBridge(pod) ? [note] : [] };
  }
  let spec = withoutBridge(pod.spec, record);
  spec = withoutMounts(spec, record);
  const used = record.values('volume').filter((volume) => isMounted(spec, volume, position));
  const unused = record.values('volume').filter((volume) => !used.includes(volume));
  spec = unused.reduce((it, volume) => withoutItem(it, 'volumes', volume, record.emptyText('volumes')), spec);
  if (record.has('grace')) spec = withoutGrace(spec, record.emptyText(graceKey));
  const notes = used.map(
    (volume) => `${position} mounts ${volume} where inject has not added it: the volume is left there`,
  );
  const erased = eraseRecord(holder, record, position);
  return { holder: spec === pod.spec ? erased : withField(erased, 'spec', spec), notes };
}

function withoutBridge(spec: ManifestMap, record: InjectionRecord): ManifestMap {
  if (record.has('native'))
    return withoutItem(spec, 'initContainers', containerName, record.emptyText('initContainers'));
  if (record.has('container'))
    return withoutItem(spec, 'containers', containerName, record.emptyText('containers'));
  // Only variables were added to a bridge that was written by hand.
  const change = (container: ManifestMap) =>
    container.name === containerName ? withoutVariables(container, record, containerName) : container;
  return ['initContainers', 'containers'].reduce((it, key) => withItems(it, key, change), spec);
}

function withoutMounts(spec: ManifestMap, record: InjectionRecord): ManifestMap {
  return record.values('mount').reduce((it, mount) => {
    const [name = '', volume = ''] = mount.split('/');
    const emptyText = record.emptyText(`${name}.volumeMounts`);
    return withItems(it, 'containers', (container) =>
      container.name === name ? withoutItem(container, 'volumeMounts', volume, emptyText) : container,
    );
  }, spec);
}

const withoutGrace = (spec: ManifestMap, emptyText: string | undefined) =>
  emptyText === undefined ? withoutField(spec, graceKey) : withField(spec, graceKey, verbatim(emptyText));

export function withoutVariables(
  container: ManifestMap,
  record: InjectionRecord,
  position: string,
): ManifestMap {
  const emptyText = record.emptyText(`${position}.env`);
  return record.values('env').reduce((it, name) => withoutItem(it, 'env', name, emptyText), container);
}

function isMounted(spec: ManifestMap, volume: string, position: string): boolean {
  return ['initContainers', 'containers'].some((key) =>
    childItems(spec, key, position).some((it) => findNamed(childItems(it, 'volumeMounts', position), volume)),
  );
}
