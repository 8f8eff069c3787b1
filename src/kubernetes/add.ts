import { isScalar, type YAMLMap } from 'yaml';
import { bridgeContainer, containerModeGraceSeconds, containerName, graceKey } from './container.ts';
import { append, child, ensure, type Manifest, scalarText } from './edit.ts';
import { annotationsOf, createMarks, type Marks, readMarks, writeMarks } from './marker.ts';
import { planMetrics } from './metrics-mount.ts';
import type { InjectOptions } from './options.ts';
import { type Pod, presentBridge } from './pod.ts';
import { addVariables, missingAnnotations, traceAnnotations, traceVariables } from './trace.ts';

/** Adds the bridge to a pod that does not have it. Gives what a person should know about it. */
export function addBridge(document: Manifest, pod: Pod, options: InjectOptions): readonly string[] {
  const present = presentBridge(pod);
  if (present) return addTrace(document, pod, present, options);
  const { spec, holder, place } = pod;
  const notes: string[] = [];
  const marks = createMarks();
  marks.add(options.mode);

  const { mount, hasVolume, without } = planMetrics(pod, options);
  for (const container of without) {
    const name = scalarText(container, 'name') ?? '';
    const mounts = ensure(container, 'volumeMounts', 'list', marks.was(`${name}.volumeMounts`));
    append(document, mounts, { name: mount.volume, mountPath: mount.mountPath });
    marks.add('mount', `${name}/${mount.volume}`);
  }
  const hostNetwork = spec.get('hostNetwork') === true;
  if (hostNetwork) notes.push(`${place} is on the node's own network: the bridge has no health port there`);
  const key = options.mode === 'native' ? 'initContainers' : 'containers';
  // Last: a mesh's proxy is then up before the bridge and, as sidecars end in reverse order, there until after it.
  const list = ensure(spec, key, 'list', marks.was(key), 'containers');
  append(document, list, bridgeContainer(options, mount, hostNetwork));
  if (!hasVolume) {
    append(document, ensure(spec, 'volumes', 'list', marks.was('volumes')), {
      name: mount.volume,
      emptyDir: {},
    });
    marks.add('volume', mount.volume);
  }
  if (options.mode === 'container') notes.push(...giveTime(document, pod, marks));
  const annotations = missingAnnotations(annotationsOf(holder, place), traceAnnotations(options.trace));
  writeMarks(document, holder, marks, annotations);
  return notes;
}

/** The preStop wait takes its time from the pod's grace period. */
function giveTime(document: Manifest, { spec, place }: Pod, marks: Marks): readonly string[] {
  const present = child(spec, graceKey);
  if (present === undefined) {
    const was = spec.get(graceKey, true);
    if (isScalar(was)) marks.was(graceKey)(was.source ?? 'null');
    spec.set(graceKey, document.createNode(containerModeGraceSeconds));
    marks.add('grace');
    return [];
  }
  const seconds = Number(spec.get(graceKey));
  if (seconds >= containerModeGraceSeconds) return [];
  return [
    `${place}.${graceKey} is ${seconds}: below ${containerModeGraceSeconds} the bridge may be killed before its last export`,
  ];
}

/** A bridge that is there is left as it is; a trace context only fills what is not set. */
function addTrace(
  document: Manifest,
  { holder, place }: Pod,
  bridge: YAMLMap,
  { trace }: InjectOptions,
): readonly string[] {
  const notes = [`${place} has the bridge already`];
  if (trace === undefined) return notes;
  const marks = readMarks(holder, place) ?? createMarks();
  const annotations = missingAnnotations(annotationsOf(holder, place), traceAnnotations(trace));
  const added = addVariables(document, bridge, traceVariables(trace), marks, containerName);
  if (added || Object.keys(annotations).length > 0) writeMarks(document, holder, marks, annotations);
  return notes;
}
