import { bridgeSettings } from '../config/bridge.ts';
import type { EditedHolder } from './add-bridge.ts';
import { containerName, endpointVariable } from './container.ts';
import {
  childItems,
  childMap,
  findNamed,
  withAppended,
  withField,
  withItems,
  withoutField,
} from './fields.ts';
import { createRecord, type InjectionRecord, readRecord, writeRecord } from './injection-record.ts';
import { checkContainer, checkRankFiles, isOn } from './metrics-mount.ts';
import type { InjectOptions, ResourceList } from './options.ts';
import { type Pod, presentBridge } from './pod.ts';
import { traceAnnotationsFor, traceVariables, withVariables } from './trace.ts';
import { ManifestProblem } from './yaml/problem.ts';
import type { SourceText } from './yaml/source-text.ts';
import type { ManifestMap } from './yaml/values.ts';

/** The bridge's container after a change, and what was changed. */
interface Update {
  readonly bridge: ManifestMap;
  readonly notes: readonly string[];
}

const modeVariable = bridgeSettings.sidecarMode.variable;

/** Changes a bridge that `inject` added to what the user asks for. One written by hand only gets a trace context. */
export function updateBridge(pod: Pod, options: InjectOptions, source: SourceText): EditedHolder {
  const { holder, position } = pod;
  const present = presentBridge(pod);
  if (present === undefined) return { holder, notes: [] };
  checkContainer(pod, options);
  const recorded = readRecord(holder, position);
  const update =
    recorded && isInjected(recorded)
      ? applyOptions(present, options, recorded, position)
      : { bridge: present, notes: warnings(pod, present) };
  const record = recorded ?? createRecord();
  const bridge = withVariables(update.bridge, traceVariables(options.trace), record, containerName, source);
  const annotations = traceAnnotationsFor(pod, options.trace);
  const addsTrace = bridge !== update.bridge || Object.keys(annotations).length > 0;
  const notes = [`${position} has the bridge already`, ...update.notes.map((note) => `${position}: ${note}`)];
  if (bridge === present && !addsTrace) return { holder, notes };
  const replace = (container: ManifestMap) => (container === present ? bridge : container);
  const spec = ['initContainers', 'containers'].reduce((it, key) => withItems(it, key, replace), pod.spec);
  const written = addsTrace ? writeRecord(holder, record, { annotations, labels: {} }, source) : holder;
  return { holder: spec === pod.spec ? written : withField(written, 'spec', spec), notes };
}

/** Otherwise, the record lists variables that were added to a bridge written by hand. */
const isInjected = (record: InjectionRecord) => record.has('native') || record.has('container');

function applyOptions(
  present: ManifestMap,
  options: InjectOptions,
  record: InjectionRecord,
  position: string,
): Update {
  const { asked } = options;
  const mode = record.has('container') ? 'container' : 'native';
  if (asked.has('mode') && options.mode !== mode)
    throw new ManifestProblem(
      `${position} has the bridge in mode ${mode}: take it out with inject --remove, then inject it with --mode ${options.mode}`,
    );
  const steps: ((bridge: ManifestMap) => Update)[] = [
    (it) => (asked.has('image') ? replaceField(it, 'image', options.image) : unchanged(it)),
    (it) => (asked.has('endpoint') ? replaceVariable(it, endpointVariable, options.endpoint) : unchanged(it)),
    (it) => replacePath(it, options.metricsPath, position),
    (it) =>
      options.format === undefined
        ? unchanged(it)
        : replaceVariable(it, bridgeSettings.metricsFileFormat.variable, options.format),
    (it) => replaceRankFiles(it, options.rankFiles, position),
    (it) => (asked.has('requests') ? replaceResources(it, 'requests', options.requests) : unchanged(it)),
    (it) => (asked.has('limits') ? replaceResources(it, 'limits', options.limits) : unchanged(it)),
    withoutReadinessProbe,
    (it) => withMode(it, mode),
  ];
  return steps.reduce<Update>(
    ({ bridge, notes }, step) => {
      const next = step(bridge);
      return { bridge: next.bridge, notes: [...notes, ...next.notes] };
    },
    { bridge: present, notes: [] },
  );
}

const unchanged = (bridge: ManifestMap): Update => ({ bridge, notes: [] });

function replaceField(map: ManifestMap, key: string, value: string): Update {
  if (map[key] === value) return unchanged(map);
  return { bridge: withField(map, key, value), notes: [`${key} was ${map[key]}, is ${value}`] };
}

function replaceVariable(bridge: ManifestMap, name: string, value: string): Update {
  const entry = findNamed(childItems(bridge, 'env', containerName), name);
  if (entry?.value === value) return unchanged(bridge);
  const changed = { name, value };
  const notes = [`${name} was ${entry?.value ?? 'not a plain value'}, is ${value}`];
  if (entry === undefined) return { bridge: withAppended(bridge, 'env', changed), notes };
  const replace = (it: ManifestMap) =>
    it === entry ? withField(withoutField(it, 'valueFrom'), 'value', value) : it;
  return { bridge: withItems(bridge, 'env', replace), notes };
}

function replacePath(bridge: ManifestMap, path: string | undefined, position: string): Update {
  if (path === undefined) return unchanged(bridge);
  const mounts = childItems(bridge, 'volumeMounts', containerName);
  if (!mounts.some((mount) => isOn(mount, path)))
    throw new ManifestProblem(
      `${position} has the bridge without a volume for ${path}: take it out with inject --remove, then inject it with --metrics-path ${path}`,
    );
  return replaceVariable(bridge, bridgeSettings.metricsFilePath.variable, path);
}

function replaceRankFiles(bridge: ManifestMap, pattern: string | undefined, position: string): Update {
  if (pattern === undefined) return unchanged(bridge);
  checkRankFiles(pattern, childItems(bridge, 'volumeMounts', containerName), position);
  return replaceVariable(bridge, bridgeSettings.rankFiles.variable, pattern);
}

function replaceResources(bridge: ManifestMap, key: 'requests' | 'limits', asked: ResourceList): Update {
  const resources = childMap(bridge, 'resources', containerName) ?? {};
  const present = childMap(resources, key, 'resources') ?? {};
  const different = Object.entries(asked).filter(([name, quantity]) => present[name] !== quantity);
  if (different.length === 0) return unchanged(bridge);
  const notes = different.map(
    ([name, quantity]) => `resources.${key}.${name} was ${present[name] ?? 'not set'}, is ${quantity}`,
  );
  const changed = withField(resources, key, { ...present, ...Object.fromEntries(different) });
  return { bridge: withField(bridge, 'resources', changed), notes };
}

/** A native sidecar that is not ready makes its pod not ready, so workers cannot find their master. */
function withoutReadinessProbe(bridge: ManifestMap): Update {
  if (bridge.readinessProbe === undefined) return unchanged(bridge);
  return {
    bridge: withoutField(bridge, 'readinessProbe'),
    notes: ['readinessProbe was removed, because it would decide whether the pod is ready'],
  };
}

function withMode(bridge: ManifestMap, mode: string): Update {
  if (findNamed(childItems(bridge, 'env', containerName), modeVariable)) return unchanged(bridge);
  return {
    bridge: withAppended(bridge, 'env', { name: modeVariable, value: mode }),
    notes: [`${modeVariable} was not set, is ${mode}`],
  };
}

/** Warnings about a bridge that was written by hand. */
function warnings({ spec, position }: Pod, bridge: ManifestMap): readonly string[] {
  const isPlain = childItems(spec, 'containers', position).includes(bridge);
  const hasMode = findNamed(childItems(bridge, 'env', position), modeVariable) !== undefined;
  return [
    ...(isPlain && !hasMode
      ? [
          `the bridge is a plain container without ${modeVariable}=container: it keeps a Job running after the training`,
        ]
      : []),
    ...(bridge.readinessProbe === undefined
      ? []
      : ['the readinessProbe of the bridge decides whether the pod is ready: remove it']),
  ];
}
