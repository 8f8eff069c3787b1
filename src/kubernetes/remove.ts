import type { YAMLMap } from 'yaml';
import { containerName, graceKey } from './container.ts';
import { childItems, named, setNull, take } from './edit.ts';
import { eraseMarks, type Marks, readMarks } from './marker.ts';
import { type Pod, presentBridge } from './pod.ts';

/** Takes out of a pod what was put in, and nothing else. Gives what a person should know about it. */
export function removeBridge(pod: Pod): readonly string[] {
  const { holder, spec, place } = pod;
  const marks = readMarks(holder, place);
  const bridge = presentBridge(pod);
  if (marks === undefined)
    return bridge ? [`${place} has a ${containerName} that inject has not added: it is left there`] : [];

  // In reverse order of adding, so that a list that was made for the bridge is empty when it is looked at.
  if (bridge) removeVariables(bridge, marks, containerName);
  const key = marks.has('native') ? 'initContainers' : 'containers';
  if (marks.has('native') || marks.has('container')) take(spec, key, containerName, marks.written(key));
  for (const [name = '', volume = ''] of marks.values('mount').map((it) => it.split('/'))) {
    const container = named(childItems(spec, 'containers', place), name);
    if (container) take(container, 'volumeMounts', volume, marks.written(`${name}.volumeMounts`));
  }
  const notes = marks.values('volume').flatMap((volume) => removeVolume(pod, volume, marks));
  if (marks.has('grace')) {
    const was = marks.written(graceKey);
    if (was === undefined) spec.delete(graceKey);
    else setNull(spec, graceKey, was);
  }
  eraseMarks(holder, marks, place);
  return notes;
}

export function removeVariables(container: YAMLMap, marks: Marks, place: string): void {
  for (const name of marks.values('env')) take(container, 'env', name, marks.written(`${place}.env`));
}

function removeVolume({ spec, place }: Pod, volume: string, marks: Marks): readonly string[] {
  const isMounted = ['initContainers', 'containers'].some((key) =>
    childItems(spec, key, place).some((it) => named(childItems(it, 'volumeMounts', place), volume)),
  );
  if (isMounted) return [`${place} mounts ${volume} where inject has not added it: the volume is left there`];
  take(spec, 'volumes', volume, marks.written('volumes'));
  return [];
}
